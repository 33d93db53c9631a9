// Who is let in to the server: those with a token, programs rather than web pages, and nobody new
// once it drains.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "serve/http/message.h"

namespace belay::tool {

class Gate {
 public:
  using Tokens = std::vector<std::string>;  // none: everybody may ask

  explicit Gate(Tokens tokens) { replace_tokens(std::move(tokens)); }

  // Requests from now on need one of these. From any thread.
  void replace_tokens(Tokens tokens);

  // From now on only questions are answered.
  void drain() { draining_ = true; }
  // Nothing: the request may pass. From any thread.
  std::optional<http::Response> refuse(const http::Request& request) const;

 private:
  std::shared_ptr<const Tokens> tokens() const;

  mutable base::Mutex mutex_;
  std::shared_ptr<const Tokens> tokens_ BELAY_GUARDED_BY(mutex_);
  std::atomic<bool> draining_{false};
};

// Takes as long for a wrong first byte as for a wrong last one.
bool equal_in_constant_time(std::string_view expected, std::string_view given);

}  // namespace belay::tool
