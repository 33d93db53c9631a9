#include "support/h2_peer.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <memory>

namespace belay::test {
namespace {

nghttp2_nv h2_pair(const std::pair<std::string, std::string>& field) {
  const auto bytes = [](const std::string& text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  };
  return {bytes(field.first), bytes(field.second), field.first.size(), field.second.size(), 0};
}

std::vector<nghttp2_nv> h2_pairs(const H2Fields& fields) {
  std::vector<nghttp2_nv> out;
  for (const auto& field : fields) out.push_back(h2_pair(field));
  return out;
}

struct H2Stream {
  H2Request request;
  H2Answer answer;
  std::size_t sent = 0;
};

// One connection of the peer.
struct H2Side {
  H2Peer& peer;
  int number;
  bool is_over = false;
  nghttp2_session* session = nullptr;
  std::map<std::int32_t, std::unique_ptr<H2Stream>> streams{};

  static H2Side& of(void* data) { return *static_cast<H2Side*>(data); }

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                       std::uint8_t flags, void* data) {
    auto& stream = of(data).streams[frame->hd.stream_id];
    if (!stream) stream = std::make_unique<H2Stream>();
    if ((flags & NGHTTP2_NV_FLAG_NO_INDEX) != 0) {
      stream->request.never_indexed.emplace_back(reinterpret_cast<const char*>(name), name_size);
    }
    stream->request.fields.emplace_back(
        std::string(reinterpret_cast<const char*>(name), name_size),
        std::string(reinterpret_cast<const char*>(value), value_size));
    return 0;
  }
  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                     std::size_t size, void* data) {
    auto& stream = of(data).streams[id];
    if (stream) stream->request.body.append(reinterpret_cast<const char*>(bytes), size);
    return 0;
  }
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* data) {
    const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    const bool is_request = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (frame->hd.type == NGHTTP2_RST_STREAM) of(data).peer.note_reset();
    const bool is_ack = (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;
    if (frame->hd.type == NGHTTP2_PING && !is_ack) of(data).peer.note_ping();
    if (ends && is_request) of(data).complete(frame->hd.stream_id);
    return 0;
  }
  static int on_closed(nghttp2_session*, std::int32_t id, std::uint32_t, void* data) {
    of(data).streams.erase(id);
    return 0;
  }

  static ssize_t read(nghttp2_session* session, std::int32_t id, std::uint8_t* out,
                      std::size_t most, std::uint32_t* flags, nghttp2_data_source* source, void*) {
    auto& stream = *static_cast<H2Stream*>(source->ptr);
    const auto& answer = stream.answer;
    const auto size = answer.body.size() + answer.zeros;
    const auto count = std::min(most, static_cast<std::size_t>(size - stream.sent));
    for (std::size_t i = 0; i < count; ++i, ++stream.sent)
      out[i] = stream.sent < answer.body.size()
                   ? static_cast<std::uint8_t>(answer.body[stream.sent])
                   : std::uint8_t{0};
    if (stream.sent < size) return static_cast<ssize_t>(count);
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (answer.trailers.empty()) return static_cast<ssize_t>(count);
    *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    const auto pairs = h2_pairs(answer.trailers);
    nghttp2_submit_trailer(session, id, pairs.data(), pairs.size());
    return static_cast<ssize_t>(count);
  }

  void complete(std::int32_t id) {
    auto& stream = *streams.at(id);
    stream.request.connection = number;
    peer.note(stream.request);
    stream.answer = peer.answer(stream.request);
    switch (stream.answer.how) {
      case H2Answer::How::hang: return;
      case H2Answer::How::close: is_over = true; return;
      case H2Answer::How::reset:
        nghttp2_submit_rst_stream(session, 0, id, stream.answer.code);
        return;
      case H2Answer::How::go_away:
        nghttp2_submit_goaway(session, 0, std::max(0, id - 2), NGHTTP2_NO_ERROR, nullptr, 0);
        return;
      case H2Answer::How::go_away_after:
        nghttp2_submit_goaway(session, 0, id, NGHTTP2_NO_ERROR, nullptr, 0);
        break;
      case H2Answer::How::whole: break;
    }
    const auto head = h2_pairs(stream.answer.head);
    const bool is_bare = stream.answer.body.empty() && stream.answer.trailers.empty();
    nghttp2_data_provider body{};
    body.source.ptr = &stream;
    body.read_callback = &H2Side::read;
    nghttp2_submit_response(session, id, head.data(), head.size(), is_bare ? nullptr : &body);
  }

  bool write(int fd) const {
    for (;;) {
      const std::uint8_t* bytes = nullptr;
      const auto size = nghttp2_session_mem_send(session, &bytes);
      if (size <= 0) return size == 0;
      for (ssize_t sent = 0; sent < size;) {
        const auto count =
            ::send(fd, bytes + sent, static_cast<std::size_t>(size - sent), MSG_NOSIGNAL);
        if (count <= 0) return false;
        sent += count;
      }
    }
  }
};

nghttp2_session* new_server(H2Side& side, std::uint32_t streams_max) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, &H2Side::on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &H2Side::on_data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &H2Side::on_frame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &H2Side::on_closed);
  nghttp2_session* session = nullptr;
  nghttp2_session_server_new(&session, callbacks, &side);
  nghttp2_session_callbacks_del(callbacks);
  const nghttp2_settings_entry streams = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, streams_max};
  nghttp2_submit_settings(session, 0, &streams, 1);
  return session;
}

}  // namespace

std::string H2Request::field(std::string_view name) const {
  std::string found = "(none)";
  int count = 0;
  for (const auto& [key, value] : fields) {
    if (key != name) continue;
    found = value;
    ++count;
  }
  return count > 1 ? "(several)" : found;
}

H2Answer status(int code, std::string_view message) {
  H2Answer answer;
  answer.body.clear();
  answer.trailers = {{"grpc-status", std::to_string(code)}};
  if (!message.empty()) answer.trailers.emplace_back("grpc-message", message);
  return answer;
}

H2Answer trailers_only(H2Fields fields) {
  H2Answer answer;
  answer.head = std::move(fields);
  answer.body.clear();
  answer.trailers.clear();
  return answer;
}

H2Peer::H2Peer(Answer answer, bool reads, std::uint32_t streams_max)
    : answer_(std::move(answer)), reads_(reads), streams_max_(streams_max) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* any = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  REQUIRE(::bind(listener_, any, size) == 0);
  REQUIRE(::listen(listener_, 128) == 0);
  REQUIRE(::getsockname(listener_, any, &size) == 0);
  REQUIRE(::pipe(stop_pipe_) == 0);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

H2Peer::~H2Peer() {
  ::close(stop_pipe_[1]);
  acceptor_.join();
  for (auto& thread : threads_) thread.join();
  ::close(stop_pipe_[0]);
  ::close(listener_);
}

void H2Peer::accept_all() {
  for (;;) {
    std::array<pollfd, 2> waits = {{{listener_, POLLIN, 0}, {stop_pipe_[0], POLLIN, 0}}};
    ::poll(waits.data(), waits.size(), -1);
    if (waits[1].revents != 0) return;
    const int fd = ::accept(listener_, nullptr, nullptr);
    if (fd < 0) continue;
    const int number = ++connections_;
    ++open_;
    threads_.emplace_back([this, fd, number] { serve(fd, number); });
  }
}

void H2Peer::serve(int fd, int number) {
  H2Side side{*this, number};
  side.session = new_server(side, streams_max_);
  const int drops = drops_;
  const int freezes = freezes_;
  std::array<std::uint8_t, 16 * 1024> bytes;
  while (!side.is_over && drops == drops_) {
    const bool is_frozen = freezes != freezes_;
    if (!is_frozen && !side.write(fd)) break;
    const bool reads = reads_ && !is_frozen;
    std::array<pollfd, 2> waits = {{{reads ? fd : -1, POLLIN, 0}, {stop_pipe_[0], POLLIN, 0}}};
    ::poll(waits.data(), waits.size(), 20);
    if (waits[1].revents != 0) break;
    if (waits[0].revents == 0) continue;
    const auto size = ::recv(fd, bytes.data(), bytes.size(), 0);
    if (size <= 0) break;
    if (nghttp2_session_mem_recv(side.session, bytes.data(), static_cast<std::size_t>(size)) < 0)
      break;
  }
  nghttp2_session_del(side.session);
  ::close(fd);
  --open_;
}

void H2Peer::drop() { ++drops_; }

std::vector<H2Request> H2Peer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void H2Peer::note(const H2Request& request) {
  const std::lock_guard lock(mutex_);
  requests_.push_back(request);
}

}  // namespace belay::test
