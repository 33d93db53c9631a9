// A call as an HTTP request: with dtm's query parameters and headers, or with JSON-RPC's body. The
// memory of a request is reused for the next one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "belay/call.h"
#include "belay/result.h"
#include "hook/url.h"

namespace belay::hook {

// Errors: invalid_argument, for headers that a request cannot contain, or too many of them.
Result<> check_headers(std::span<const Header> headers);
// Errors: invalid_argument, if the target is called by JSON-RPC and the payload cannot be its
// params.
Result<> check_payload(std::string_view target, std::string_view payload);

class HttpRequest {
 public:
  // `span`: the call's span in the trace, not 0. Errors: invalid_argument.
  Result<> make(const Call& call, const Target& target, std::uint64_t span);
  // A redirect: the same request to `url`.
  void go_to(std::string_view url);
  // Releases memory that the next request will hardly need.
  void rest();

  bool is_post() const { return is_post_; }
  const std::string& url() const { return url_; }
  const std::string& body() const { return body_; }      // empty unless the request is a POST
  const std::string& rpc_id() const { return rpc_id_; }  // the id for JSON-RPC; otherwise empty
  // Each header is "Name: value", with a zero at its end; "Name;" has no value.
  std::size_t header_count() const { return header_at_.size(); }
  const char* header(std::size_t index) const { return headers_.c_str() + header_at_[index]; }

 private:
  void make_url(const Call& call, const Target& target);
  Result<> make_json_rpc(const Call& call, const Target& target);
  void make_headers(const Call& call, std::uint64_t span);
  void add_header(std::string_view name, std::string_view value);

  bool is_post_ = false;
  std::string url_;
  std::string body_;
  std::string rpc_id_;
  std::string headers_;
  std::vector<std::size_t> header_at_;
};

}  // namespace belay::hook
