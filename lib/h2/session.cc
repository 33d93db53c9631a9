#include "h2/session.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace belay::h2 {
namespace {

// A response may be this far ahead of us, on one stream and on all together. It costs no memory:
// bodies are read and thrown away as they come.
constexpr std::uint32_t kStreamWindow = 1024 * 1024;
constexpr std::int32_t kConnectionWindow = 4 * 1024 * 1024;
constexpr std::uint32_t kHeaderListBytesMax = 256 * 1024;

nghttp2_nv pair_of(const Field& field) {
  auto* name = reinterpret_cast<std::uint8_t*>(const_cast<char*>(field.name.data()));
  auto* value = reinterpret_cast<std::uint8_t*>(const_cast<char*>(field.value.data()));
  const auto flag = field.stays_out ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE;
  return {name, value, field.name.size(), field.value.size(), static_cast<std::uint8_t>(flag)};
}

std::string_view view(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

// What nghttp2 calls.
struct SessionCallbacks {
  static Stream* stream_of(nghttp2_session* session, std::int32_t id) {
    return static_cast<Stream*>(nghttp2_session_get_stream_user_data(session, id));
  }

  static ssize_t read_body(nghttp2_session* session, std::int32_t id, std::uint8_t* out,
                           std::size_t most, std::uint32_t* flags, nghttp2_data_source*,
                           void*) noexcept {
    auto* stream = stream_of(session, id);
    if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;  // it was cancelled
    const auto left = stream->body.size() - stream->body_sent_;
    const auto count = std::min(left, most);
    std::memcpy(out, stream->body.data() + stream->body_sent_, count);
    stream->body_sent_ += count;
    if (count == left) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(count);
  }

  static int on_header(nghttp2_session* session, const nghttp2_frame* frame,
                       const std::uint8_t* name, std::size_t name_size, const std::uint8_t* value,
                       std::size_t value_size, std::uint8_t, void*) noexcept {
    const bool is_last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (auto* stream = stream_of(session, frame->hd.stream_id); stream != nullptr)
      stream->take_field(view(name, name_size), view(value, value_size), is_last);
    return 0;
  }

  static int on_data(nghttp2_session* session, std::uint8_t, std::int32_t id,
                     const std::uint8_t* bytes, std::size_t size, void*) noexcept {
    auto* stream = stream_of(session, id);
    if (stream != nullptr && !stream->take_body(view(bytes, size)))
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
    return 0;
  }

  static int on_sent(nghttp2_session* session, const nghttp2_frame* frame, void*) noexcept {
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    if (auto* stream = stream_of(session, frame->hd.stream_id); stream != nullptr)
      stream->is_sent_ = true;
    return 0;
  }

  static int on_closed(nghttp2_session* session, std::int32_t id, std::uint32_t code,
                       void* data) noexcept {
    auto* stream = stream_of(session, id);
    if (stream == nullptr) return 0;
    static_cast<Session*>(data)->forget(*stream);
    stream->ended(code);
    return 0;
  }

  // A request that never got a stream: the connection was being ended.
  static int on_not_sent(nghttp2_session* session, const nghttp2_frame* frame, int,
                         void* data) noexcept {
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    return on_closed(session, frame->hd.stream_id, NGHTTP2_REFUSED_STREAM, data);
  }
};

namespace {

nghttp2_session* new_session(void* self) {
  nghttp2_session_callbacks* callbacks = nullptr;
  if (nghttp2_session_callbacks_new(&callbacks) != 0) return nullptr;
  nghttp2_session_callbacks_set_on_header_callback(callbacks, &SessionCallbacks::on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &SessionCallbacks::on_data);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, &SessionCallbacks::on_sent);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &SessionCallbacks::on_closed);
  nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks,
                                                           &SessionCallbacks::on_not_sent);
  nghttp2_session* session = nullptr;
  const int code = nghttp2_session_client_new(&session, callbacks, self);
  nghttp2_session_callbacks_del(callbacks);
  return code == 0 ? session : nullptr;
}

bool greet(nghttp2_session* session) {
  const std::array<nghttp2_settings_entry, 3> settings = {{
      {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindow},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, kHeaderListBytesMax},
  }};
  return nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size()) ==
             0 &&
         nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, kConnectionWindow) ==
             0;
}

}  // namespace

std::unique_ptr<Session> Session::make() {
  std::unique_ptr<Session> made(new Session);
  made->session_ = new_session(made.get());
  if (made->session_ == nullptr || !greet(made->session_)) return nullptr;
  return made;
}

Session::~Session() { nghttp2_session_del(session_); }

bool Session::submit(Stream& stream, std::span<const Field> head) {
  std::vector<nghttp2_nv> pairs;
  pairs.reserve(head.size());
  for (const auto& field : head) pairs.push_back(pair_of(field));
  stream.body_sent_ = 0;
  stream.is_sent_ = false;
  nghttp2_data_provider body{};
  body.read_callback = &SessionCallbacks::read_body;
  const auto id =
      nghttp2_submit_request(session_, nullptr, pairs.data(), pairs.size(), &body, &stream);
  if (id < 0) return false;
  stream.id_ = id;
  stream.place_ = streams_.size();
  streams_.push_back(&stream);
  return true;
}

void Session::forget(Stream& stream) {
  nghttp2_session_set_stream_user_data(session_, stream.id_, nullptr);
  streams_[stream.place_] = streams_.back();
  streams_[stream.place_]->place_ = stream.place_;
  streams_.pop_back();
}

void Session::cancel(Stream& stream) {
  const auto id = stream.id_;
  forget(stream);
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
}

std::vector<Stream*> Session::abandon() {
  for (auto* stream : streams_)
    nghttp2_session_set_stream_user_data(session_, stream->id_, nullptr);
  return std::exchange(streams_, {});
}

bool Session::feed(std::string_view bytes) {
  const auto read = nghttp2_session_mem_recv(
      session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (read == static_cast<ssize_t>(bytes.size())) return true;
  error_ = read < 0 ? nghttp2_strerror(static_cast<int>(read)) : "the connection was ended";
  return false;
}

std::string_view Session::take() {
  const std::uint8_t* bytes = nullptr;
  const auto size = nghttp2_session_mem_send(session_, &bytes);
  return size <= 0 ? std::string_view() : view(bytes, static_cast<std::size_t>(size));
}

void Session::ping() { nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr); }

bool Session::takes_requests() const {
  return nghttp2_session_check_request_allowed(session_) != 0;
}

bool Session::is_alive() const {
  return nghttp2_session_want_read(session_) != 0 || nghttp2_session_want_write(session_) != 0;
}

}  // namespace belay::h2
