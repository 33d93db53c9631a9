// Converts between libmicrohttpd's requests and responses and the values of
// tools/serve/http/message.h. Internal to the HTTP server.
#pragma once

#include <cstdint>
#include <optional>

#include "serve/http/connections.h"
#include "serve/http/message.h"

struct MHD_Connection;

namespace belay::http {

Connection* peer_of(MHD_Connection* connection);
std::size_t header_bytes_of(MHD_Connection* connection);
// The length of the body that the headers promise; empty if they promise none, or an invalid one.
std::optional<std::uint64_t> promised_length(MHD_Connection* connection);
// True if the body comes in chunks.
bool is_chunked(MHD_Connection* connection);
// True if the client waits for "100 Continue" before it sends the body.
bool expects_go_ahead(MHD_Connection* connection);
// Reads the query, the headers and the peer's address. Throws bad_alloc.
void read_fields(MHD_Connection* connection, Request& request);

enum class After : std::uint8_t { keep_alive, close };
// False: the connection is lost.
bool send_response(MHD_Connection* connection, Response response, After after);
// A refusal as one line of text.
Response plain_response(int status);

}  // namespace belay::http
