// Decides which requests the server accepts: only those that call it by an allowed name and have a
// token with the role that they need, no requests from web pages of other sites, and while the
// server drains, only questions.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "serve/allowed_hosts.h"
#include "serve/denials.h"
#include "serve/http/message.h"
#include "serve/protocol/api_result.h"
#include "serve/protocol/service.h"
#include "serve/tokens.h"

namespace belay::tool {

struct Refusal {
  protocol::ApiResult answer;
  std::optional<Denial> denial;  // empty: it does not matter who asks
  std::string caller;            // the name of the token, if it is known
};

struct Judgement {
  std::optional<Refusal> refusal;  // empty: the request may pass
  protocol::Caller caller{};
  std::uint64_t replaced = 0;  // `Gate::replaced` as of the tokens that it was judged by
};

// What the gate must know of a request, whatever door it came through.
struct Question {
  protocol::Role needed{};
  bool only_asks = false;          // changes nothing
  std::string_view authorization;  // "Bearer …"; empty: there is none
};

class Gate {
 public:
  // Without any token every client may ask.
  explicit Gate(Tokens tokens, AllowedHosts hosts = {}) : hosts_(std::move(hosts)) {
    replace_tokens(std::move(tokens));
  }

  // From now on these tokens count; returns those that counted until now. From any thread.
  Tokens replace_tokens(Tokens tokens);
  // How often they were replaced.
  std::uint64_t replaced() const { return replaced_; }

  // From now on only questions are answered.
  void drain() { draining_ = true; }
  // From any thread.
  Judgement judge(const http::Request& request) const;
  // For a request that no browser can make.
  Judgement judge(const Question& question) const;
  // For a file that is the same for everybody and holds no data: no token is needed, and a link on
  // a page of another site may lead to it.
  Judgement judge_page(const http::Request& request) const;

 private:
  std::shared_ptr<const Tokens> tokens() const;
  Judgement judge_token(const Question& question) const;

  const AllowedHosts hosts_;
  mutable base::Mutex mutex_;
  std::shared_ptr<const Tokens> tokens_ BELAY_GUARDED_BY(mutex_) = std::make_shared<Tokens>();
  std::atomic<std::uint64_t> replaced_{0};
  std::atomic<bool> draining_{false};
};

// Takes as long if the first byte is wrong as if the last byte is wrong.
bool equal_in_constant_time(std::string_view expected, std::string_view given);

}  // namespace belay::tool
