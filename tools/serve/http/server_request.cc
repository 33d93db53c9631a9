#include "serve/http/server_request.h"

#include <microhttpd.h>

#include <memory>
#include <new>
#include <string_view>
#include <utility>

#include "base/ascii.h"
#include "base/number.h"

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
}

bool send_response(MHD_Connection* connection, Response response, After after) {
  auto body = std::make_unique<std::string>(std::move(response.body));
  constexpr auto forget = [](void* text) noexcept { delete static_cast<std::string*>(text); };
  auto* const made = MHD_create_response_from_buffer_with_free_callback_cls(
      body->size(), body->data(), forget, body.get());
  if (made == nullptr) return false;
  static_cast<void>(body.release());  // now owned by the response
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
  Response response{status, "text/plain; charset=utf-8", {}, {}};
  response.body = std::to_string(status) + " " + MHD_get_reason_phrase_for(code) + "\n";
  if (status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

}  // namespace belay::http
