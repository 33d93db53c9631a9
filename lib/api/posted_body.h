// The bodies of posted requests: what the engine reads of them, and what an operator's have.
#pragma once

#include <string>

#include "belay/options.h"
#include "belay/requests.h"
#include "hook/hooks.h"
#include "ports/store.h"

namespace belay::api {

// The body of an operator's request; empty if its verb has none.
std::string body_of(const Request& request);

// Reads the request's verb and body, and sets what they say or what is wrong with them. Of a submit
// all checks are made that need no transaction; an edit's values are checked with its own.
void read_body(ports::PostedRequest& posted, const Limits& limits, const hook::Hooks& hooks);

}  // namespace belay::api
