#include "serve/http/server_request.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

#include "base/ascii.h"
#include "base/number.h"
#include "serve/http/stream.h"

namespace belay::http {
namespace {

struct Collected {
  Fields& fields;
  bool lacks_memory = false;
};

MHD_Result add_field(void* into, enum MHD_ValueKind kind, const char* name, std::size_t name_size,
                     const char* value, std::size_t value_size) noexcept {
  auto& collected = *static_cast<Collected*>(into);
  std::string_view text;
  if (value != nullptr) text = {value, value_size};
  if (kind == MHD_HEADER_KIND) text = base::trimmed(text);  // the library strips only its beginning
  try {
    collected.fields.emplace_back(std::string(name, name_size), std::string(text));
    return MHD_YES;
  } catch (const std::bad_alloc&) {  // must not be thrown through the library
    collected.lacks_memory = true;
    return MHD_NO;
  }
}

void collect(MHD_Connection* connection, MHD_ValueKind kind, Fields& fields) {
  Collected collected{fields};
  MHD_get_connection_values_n(connection, kind, add_field, &collected);
  if (collected.lacks_memory) throw std::bad_alloc();
}

// Empty if the connection has no address.
std::string address_of(MHD_Connection* connection) {
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  if (info == nullptr || info->client_addr == nullptr) return {};
  const sockaddr* address = info->client_addr;
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes = nullptr;
  sockaddr_in four{};
  sockaddr_in6 six{};
  if (address->sa_family == AF_INET) {
    std::memcpy(&four, address, sizeof(four));
    bytes = &four.sin_addr;
  } else if (address->sa_family == AF_INET6) {
    std::memcpy(&six, address, sizeof(six));
    bytes = &six.sin6_addr;
  }
  if (bytes == nullptr || inet_ntop(address->sa_family, bytes, text.data(), text.size()) == nullptr)
    return {};
  return text.data();
}

// What sends a stream: owned by the library's response.
struct Streaming {
  std::shared_ptr<Stream> stream;
  Connection* peer;
};

// The time that a client has for its answer begins anew with each part that it took.
ssize_t read_stream(void* self, std::uint64_t /*position*/, char* into, std::size_t size) noexcept {
  const auto& streaming = *static_cast<Streaming*>(self);
  const auto part = streaming.stream->take(into, size);
  switch (part.next) {
    case Stream::Next::bytes:
      if (!streaming.peer->enter(Phase::writing)) return MHD_CONTENT_READER_END_WITH_ERROR;
      return static_cast<ssize_t>(part.size);
    case Stream::Next::pause: return 0;
    case Stream::Next::end: return MHD_CONTENT_READER_END_OF_STREAM;
    case Stream::Next::broken: break;
  }
  return MHD_CONTENT_READER_END_WITH_ERROR;
}

constexpr std::size_t kStreamBlock = 4'096;

MHD_Response* make_stream(MHD_Connection* connection, std::shared_ptr<Stream> stream) {
  auto streaming = std::make_unique<Streaming>(Streaming{std::move(stream), peer_of(connection)});
  constexpr auto forget = [](void* self) noexcept { delete static_cast<Streaming*>(self); };
  auto* const made = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, kStreamBlock, &read_stream,
                                                       streaming.get(), forget);
  if (made != nullptr) static_cast<void>(streaming.release());  // now owned by the response
  return made;
}

MHD_Response* make_whole(std::string text) {
  auto body = std::make_unique<std::string>(std::move(text));
  constexpr auto forget = [](void* self) noexcept { delete static_cast<std::string*>(self); };
  auto* const made = MHD_create_response_from_buffer_with_free_callback_cls(
      body->size(), body->data(), forget, body.get());
  if (made != nullptr) static_cast<void>(body.release());  // now owned by the response
  return made;
}

std::string_view header_of(MHD_Connection* connection, const char* name) {
  const char* value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return value == nullptr ? std::string_view() : value;
}

}  // namespace

Connection* peer_of(MHD_Connection* connection) {
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return info == nullptr ? nullptr : static_cast<Connection*>(info->socket_context);
}

std::size_t header_bytes_of(MHD_Connection* connection) {
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
  return info == nullptr ? 0 : info->header_size;
}

std::optional<std::uint64_t> promised_length(MHD_Connection* connection) {
  return base::parse_number<std::uint64_t>(header_of(connection, MHD_HTTP_HEADER_CONTENT_LENGTH));
}

bool is_chunked(MHD_Connection* connection) {
  return !header_of(connection, MHD_HTTP_HEADER_TRANSFER_ENCODING).empty();
}

bool expects_go_ahead(MHD_Connection* connection) {
  return !header_of(connection, MHD_HTTP_HEADER_EXPECT).empty();
}

void read_fields(MHD_Connection* connection, Request& request) {
  collect(connection, MHD_GET_ARGUMENT_KIND, request.query);
  collect(connection, MHD_HEADER_KIND, request.headers);
  request.peer = address_of(connection);
}

bool send_response(MHD_Connection* connection, Response response, After after) {
  auto* const made = response.stream ? make_stream(connection, std::move(response.stream))
                                     : make_whole(std::move(response.body));
  if (made == nullptr) return false;
  if (!response.content_type.empty()) {
    MHD_add_response_header(made, MHD_HTTP_HEADER_CONTENT_TYPE, response.content_type.c_str());
  }
  for (const auto& [name, value] : response.headers) {
    MHD_add_response_header(made, name.c_str(), value.c_str());
  }
  if (after == After::close) MHD_add_response_header(made, MHD_HTTP_HEADER_CONNECTION, "close");
  const auto queued = MHD_queue_response(connection, static_cast<unsigned>(response.status), made);
  MHD_destroy_response(made);
  return queued == MHD_YES;
}

Response plain_response(int status) {
  const auto code = static_cast<unsigned>(status);
  Response response{status, "text/plain; charset=utf-8", {}, {}, {}};
  response.body = std::to_string(status) + " " + MHD_get_reason_phrase_for(code) + "\n";
  if (status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

}  // namespace belay::http
