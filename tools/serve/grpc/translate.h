// Reads dtm's protobuf messages into the calls that the service knows. Without sockets.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "belay/result.h"
#include "serve/protocol/calls.h"

namespace belay::door {

// A parsed field takes many times its bytes on the wire: a message with more fields is refused
// before it is parsed.
inline constexpr std::size_t kFieldsMax = 262'144;

// Errors: invalid_argument, with the text for the client.
Result<protocol::DtmCall> read_call(const protocol::DtmMethod& method, std::string_view message);

// The address in gRPC's name of a peer: "ipv4:127.0.0.1:80" is 127.0.0.1.
std::string address_of(std::string_view peer);

}  // namespace belay::door
