// The client's side of an HTTP/2 connection as bytes in and bytes out, without a socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct nghttp2_session;

namespace belay::h2 {

struct Field {
  std::string_view name;  // in lower case
  std::string_view value;
  // Never put into the table that compresses later requests: a secret, or a value that comes once.
  // The table would be full of such values, and each is compared with a new one of its name.
  bool stays_out = false;
};

// One request and what comes of it. Its owner keeps it alive until `ended` ran, or until it called
// Session::cancel.
class Stream {
 public:
  virtual ~Stream() = default;

  // A header or a trailer of the response, or of an interim one. `is_last`: its block ends the
  // response.
  virtual void take_field(std::string_view name, std::string_view value, bool is_last) = 0;
  // A part of the response's body; false: the rest is not wanted, and the stream is reset.
  virtual bool take_body(std::string_view part) = 0;
  // The stream is closed, with HTTP/2's error code (0: as it should be).
  virtual void ended(std::uint32_t code) = 0;

  std::string body;  // of the request; must not change until the end

 private:
  friend class Session;
  friend struct SessionCallbacks;
  std::size_t body_sent_ = 0;
  std::size_t place_ = 0;  // its index in the session
  std::int32_t id_ = 0;
  bool is_sent_ = false;
};

class Session {
 public:
  // Null: there is no memory.
  static std::unique_ptr<Session> make();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  // False: this connection takes no more requests, or there is no memory.
  bool submit(Stream& stream, std::span<const Field> head);
  // Resets the stream, without `ended`. Not within a function of `Stream`.
  void cancel(Stream& stream);
  // Takes all streams away, without a word to the peer, and without `ended`.
  std::vector<Stream*> abandon();
  // Whether any part of the request was handed out by `take`.
  static bool is_sent(const Stream& stream) { return stream.is_sent_; }

  // Bytes of the peer. False: the peer breaks the protocol, `error` says how.
  bool feed(std::string_view bytes);
  // The next bytes for the peer, valid until the next call of any function; empty: none for now.
  std::string_view take();
  void ping();

  bool takes_requests() const;
  std::size_t streams() const { return streams_.size(); }
  // False: nothing can come of this connection any more.
  bool is_alive() const;
  const std::string& error() const { return error_; }

 private:
  friend struct SessionCallbacks;
  Session() = default;
  void forget(Stream& stream);

  nghttp2_session* session_ = nullptr;
  std::vector<Stream*> streams_;
  std::string error_;
};

}  // namespace belay::h2
