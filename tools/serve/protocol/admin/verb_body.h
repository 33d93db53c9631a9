// What the body of a verb says, as a request to the engine.
#pragma once

#include <optional>
#include <string>

#include "belay/requests.h"
#include "serve/http/message.h"
#include "serve/protocol/service.h"

namespace belay::protocol::admin {

// Fills in all that the body says. The answer for a body that cannot be meant; empty: it can.
std::optional<http::Response> read_verb(const http::Request& http, const ServiceOptions& options,
                                        Request& request);

}  // namespace belay::protocol::admin
