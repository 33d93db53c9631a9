// What libmicrohttpd knows of a request and takes of a response, as tools/serve/protocol's values.
// Part of the server: for its own files.
#pragma once

#include <cstdint>
#include <optional>

#include "serve/http/connections.h"
#include "serve/http/message.h"

struct MHD_Connection;

namespace belay::http {

Connection* peer_of(MHD_Connection* connection);
std::size_t header_bytes_of(MHD_Connection* connection);
// The length that the headers promise; none if they promise none, or nonsense.
std::optional<std::uint64_t> promised_length(MHD_Connection* connection);
// The headers say twice how long the body is: whoever is before this server may have read the
// other.
bool says_length_twice(MHD_Connection* connection);
// The client waits for a go-ahead before it sends the body.
bool expects_go_ahead(MHD_Connection* connection);
// The query and the headers. Throws bad_alloc.
void read_fields(MHD_Connection* connection, Request& request);

enum class After : std::uint8_t { keep_alive, close };
// False: the connection is lost.
bool send_response(MHD_Connection* connection, Response response, After after);
// A refusal in one line of text.
Response plain_response(int status);

}  // namespace belay::http
