// Who is let in to the server: those with a token, programs rather than web pages, and nobody new
// once it drains.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "web/message.h"

namespace belay::tool {

class Gate {
 public:
  explicit Gate(std::vector<std::string> tokens) : tokens_(std::move(tokens)) {}

  // From now on only questions are answered.
  void drain() { draining_ = true; }
  // Nothing: the request may pass. From any thread.
  std::optional<web::Response> refuse(const web::Request& request) const;

 private:
  bool has_token(const web::Request& request) const;

  const std::vector<std::string> tokens_;
  std::atomic<bool> draining_{false};
};

// Takes as long for a wrong first byte as for a wrong last one.
bool equal_in_constant_time(std::string_view expected, std::string_view given);

}  // namespace belay::tool
