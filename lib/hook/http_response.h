// What a response means. It is read as it comes in: two words are looked for in all of the body,
// its start is kept as the reason; only for JSON-RPC all of it is kept. A body that is no text in
// letters like ASCII's, or was not unpacked to its end, is not read, and is never a yes.
#pragma once

#include <string>
#include <string_view>

#include "belay/outcome.h"
#include "hook/response_head.h"
#include "hook/unpacker.h"
#include "hook/words.h"

namespace belay::hook {

// What all answers that are read at once keep, in bytes, beyond their starts.
struct KeptBytes {
  std::size_t now = 0;
  std::size_t max = std::size_t{64} * 1024 * 1024;
};

class HttpResponse {
 public:
  HttpResponse() = default;
  // `all` lives longer.
  explicit HttpResponse(KeptBytes& all) : all_(&all) {}
  HttpResponse(const HttpResponse&) = delete;
  HttpResponse& operator=(const HttpResponse&) = delete;
  ~HttpResponse() { forget(); }

  // Before each response. A body beyond `bytes_max`, packed or unpacked, is an answer nobody reads.
  // `rpc_id`: of the JSON-RPC call that it answers; empty: it is none.
  void begin(std::size_t bytes_max, std::string_view rpc_id);
  // Gives back what it kept.
  void forget();
  // Each line of the response's head, in order.
  void take_head(std::string_view line) { head_.take(line); }
  // The next part of the body, as it is sent; false: there is more than may be.
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
  Outcome rpc_outcome(long status) const;

  std::size_t bytes_max_ = 0;
  std::string rpc_id_;
  ResponseHead head_;
  Unpacker unpacker_;
  Packing packing_ = Packing::none;
  bool is_packed_so_ = false;  // as far as it has come
  std::size_t sent_bytes_ = 0;
  std::size_t text_bytes_ = 0;
  bool too_large_ = false;
  bool no_room_ = false;
  std::string flaw_;  // the first reason why the body cannot be read, but for what its end shows
  Words words_;
  std::string kept_;
  KeptBytes* all_ = nullptr;
  std::size_t counted_ = 0;  // of `all_`
};

}  // namespace belay::hook
