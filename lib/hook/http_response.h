// The meaning of a response, which is read while it comes in. Two words are searched for in the
// whole body, and the start of the body is kept as the reason; the whole body is kept only for
// JSON-RPC. A body is not read, and never counts as success, if it is not text in an ASCII-like
// charset or was not uncompressed to its end.
#pragma once

#include <string>
#include <string_view>

#include "belay/outcome.h"
#include "hook/response_head.h"
#include "hook/unpacker.h"
#include "hook/words.h"

namespace belay::hook {

// The bytes that are kept for all responses being read, without the starts of their bodies.
struct KeptBytes {
  std::size_t now = 0;
  std::size_t max = std::size_t{64} * 1024 * 1024;
};

class HttpResponse {
 public:
  HttpResponse() = default;
  // `all` must outlive this object.
  explicit HttpResponse(KeptBytes& all) : all_(&all) {}
  HttpResponse(const HttpResponse&) = delete;
  HttpResponse& operator=(const HttpResponse&) = delete;
  ~HttpResponse() { forget(); }

  // To be called before each response. A body larger than `bytes_max`, compressed or uncompressed,
  // is not read. `rpc_id`: the id of the JSON-RPC call that is answered; empty if the call is no
  // JSON-RPC.
  void begin(std::size_t bytes_max, std::string_view rpc_id);
  // Releases the kept bytes.
  void forget();
  // To be called for each line of the response's head, in order.
  void take_head(std::string_view line) { head_.take(line); }
  // The next part of the body, as sent; false: the body is too large.
  bool take(std::string_view part);

  bool given_up() const { return too_large_ || no_room_; }
  Outcome outcome(long status) const;

 private:
  void begin_body();
  bool take_text(std::string_view part);
  bool keep(std::string_view part);
  bool is_rpc() const { return !rpc_id_.empty(); }
  std::string flaw() const;
  std::string_view start() const;
  Outcome read(long status) const;
  Outcome rpc_outcome(long status) const;

  std::size_t bytes_max_ = 0;
  std::string rpc_id_;
  ResponseHead head_;
  Unpacker unpacker_;
  Packing packing_ = Packing::none;
  bool is_packed_so_ = false;  // the part received so far is compressed this way
  std::size_t sent_bytes_ = 0;
  std::size_t text_bytes_ = 0;
  bool too_large_ = false;
  bool no_room_ = false;
  // The first reason why the body cannot be read; problems that only its end shows are not
  // included.
  std::string flaw_;
  Words words_;
  std::string kept_;
  KeptBytes* all_ = nullptr;
  std::size_t counted_ = 0;  // the part of `all_` that belongs to this response
};

}  // namespace belay::hook
