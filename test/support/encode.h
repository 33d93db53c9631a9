// A description's bytes as the engine would make them.
#pragma once

#include <string>
#include <string_view>

#include "belay/result.h"
#include "core/draft.h"

namespace belay::test {

inline Result<std::string> encode(Description description, std::string_view gid,
                                  const Limits& limits = {},
                                  core::Entry entry = core::Entry::submit) {
  const auto definition = core::define(core::draft_of(description), gid, entry, limits);
  if (!definition) return definition.error();
  return std::string(definition->bytes());
}

}  // namespace belay::test
