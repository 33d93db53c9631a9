// The body of a posted submit, as JSON: see belay/requests.h.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "belay/description.h"
#include "belay/options.h"
#include "core/definition.h"
#include "hook/hooks.h"

namespace belay::api {

inline constexpr std::size_t kHeadersMax = 1'024;  // of one object

// Errors: unsupported (a workflow).
Result<std::string> body_of(Description description);

// The definition that the body describes, with all checks of a submit. An empty gid: a new one.
// The checks of the targets need `hooks`: whoever posts does not know what the engine may call.
Result<core::Definition> definition_from(const std::string& body, const std::string& gid,
                                         const Limits& limits, const hook::Hooks* hooks = nullptr);

struct JsonSubmit {
  core::Definition definition;
  bool makes_gid = false;  // the body has none
};
// The same of a body that may have the member `gid`.
Result<JsonSubmit> submit_from(std::string_view body, const Limits& limits,
                               const hook::Hooks& hooks);

}  // namespace belay::api
