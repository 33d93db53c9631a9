// The bodies of posted requests, as JSON: see belay/requests.h.
#pragma once

#include <string>
#include <string_view>

#include "belay/description.h"
#include "belay/options.h"
#include "belay/requests.h"
#include "hook/hooks.h"
#include "ports/store.h"

namespace belay::api {

// Errors: unsupported (a workflow).
Result<std::string> body_of(Description description);

// Of a request to resolve a branch.
std::string body_of(const Request& request);

// Reads the body of a submit or a resolve, and sets what it says or what is wrong with it. Of a
// submit all checks are made. The gid is the request's; if it is empty, a new one.
void read_body(ports::PostedRequest& request, const Limits& limits, const hook::Hooks& hooks);

// The definition that the body of a submit describes, with all checks of a submit. Those of the
// targets need `hooks`: whoever posts does not know what the engine may call.
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
