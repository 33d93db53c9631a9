// The name of a transaction in every line of the log: "gid=g-17", and "trace=4bf9…" if the trace of
// its caller is known. The label is formatted only if the line is logged.
#pragma once

#include <fmt/format.h>

#include "base/trace.h"
#include "core/transaction.h"

namespace belay::engine {

struct Label {
  const core::Transaction& transaction;
};

}  // namespace belay::engine

template <>
struct fmt::formatter<belay::engine::Label> {
  constexpr auto parse(fmt::format_parse_context& context) { return context.begin(); }
  auto format(const belay::engine::Label& label, fmt::format_context& context) const {
    const auto& definition = label.transaction.definition;
    const auto out = fmt::format_to(context.out(), "gid={}", definition.gid());
    const auto trace = belay::base::trace_id_of(definition.trace_parent());
    return trace.empty() ? out : fmt::format_to(out, " trace={}", trace);
  }
};
