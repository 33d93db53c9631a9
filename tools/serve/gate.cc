#include "serve/gate.h"

#include <utility>

#include "base/ascii.h"
#include "serve/protocol/api_result.h"

namespace belay::tool {
namespace {

// A browser marks requests that a page of another site makes. Anybody who can open a page in the
// browser of a user of this machine must not be able to submit transactions.
bool is_from_a_web_page(const http::Request& request) {
  const auto site = request.header("Sec-Fetch-Site");
  if (!site.empty()) return site == "cross-site" || site == "same-site";
  // A request by plain http to another machine, or from an older browser, names only the page's
  // origin.
  const auto origin = request.header("Origin");
  const auto host = request.header("Host");
  return !origin.empty() && origin != "http://" + std::string(host) &&
         origin != "https://" + std::string(host);
}

bool only_asks_for(const http::Request& request) {
  return request.method == "GET" && request.path != "/api/dtmsvr/subscribe" &&
         request.path != "/api/dtmsvr/unsubscribe" && request.path != "/api/dtmsvr/resetCronTime" &&
         request.path != "/healthz";
}

}  // namespace

bool equal_in_constant_time(std::string_view expected, std::string_view given) {
  volatile unsigned char differs = expected.size() == given.size() ? 0 : 1;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto other = given.empty() ? '\0' : given[i % given.size()];
    differs = static_cast<unsigned char>(differs | (expected[i] ^ other));
  }
  return differs == 0;
}

namespace {

protocol::ApiResult::Kind kind_of(Denial denial) {
  const bool is_stranger = status_of(denial) == 401;
  return is_stranger ? protocol::ApiResult::Kind::stranger : protocol::ApiResult::Kind::forbidden;
}

// The token that the request shows; null: none that counts. Takes as long for every token.
const Token* token_of(const Tokens& tokens, std::string_view given) {
  constexpr std::string_view kScheme = "Bearer ";
  if (!base::starts_with_ignoring_case(given, kScheme)) return nullptr;
  const Token* found = nullptr;
  for (const auto& token : tokens) {
    if (equal_in_constant_time(token.secret, base::trimmed(given.substr(kScheme.size()))))
      found = &token;
  }
  return found;
}

Refusal deny(Denial denial, std::string message, std::string caller = {}) {
  return {{kind_of(denial), std::move(message), {}}, denial, std::move(caller)};
}

Refusal deny_stranger(std::string_view authorization) {
  return deny(authorization.empty() ? Denial::no_token : Denial::unknown_token,
              "a bearer token is needed");
}

Refusal deny_role(const Token& token, protocol::Role needed) {
  return deny(Denial::small_role,
              std::string("this needs a token of the role ") + protocol::name_of(needed) +
                  "; the role of this one is " + protocol::name_of(token.role),
              token.name);
}

Refusal deny_host() {
  return deny(Denial::other_host,
              "the header Host names another host than this one; --allow-host allows its name");
}

Refusal deny_web_page(const std::string& caller) {
  return deny(Denial::web_page, "web pages of other sites may not ask", caller);
}

Judgement judge_by(const Tokens& tokens, const Question& question) {
  const auto needed = question.needed;
  if (tokens.empty()) return {std::nullopt, {{}, protocol::Role::admin}};
  if (needed == protocol::Role::anybody) return {std::nullopt, {{}, needed}};
  const auto* token = token_of(tokens, question.authorization);
  if (token == nullptr) return {deny_stranger(question.authorization), {}};
  if (token->role < needed) return {deny_role(*token, needed), {}};
  return {std::nullopt, {token->name, token->role}};
}

}  // namespace

Tokens Gate::replace_tokens(Tokens tokens) {
  auto next = std::make_shared<const Tokens>(std::move(tokens));
  const base::Lock lock(mutex_);
  ++replaced_;
  return *std::exchange(tokens_, std::move(next));
}

std::shared_ptr<const Tokens> Gate::tokens() const {
  const base::Lock lock(mutex_);
  return tokens_;
}

Judgement Gate::judge_token(const Question& question) const {
  const auto replaced = replaced_.load();  // before they are read: at worst it is too small
  auto judged = judge_by(*tokens(), question);
  judged.replaced = replaced;
  return judged;
}

Judgement Gate::judge(const Question& question) const {
  auto judged = judge_token(question);
  if (!judged.refusal && draining_ && !question.only_asks)
    judged.refusal = {protocol::ApiResult::overload("the server is stopping"), std::nullopt, {}};
  return judged;
}

Judgement Gate::judge(const http::Request& request) const {
  if (!hosts_.contain(request.header("Host"))) return {deny_host(), {}};
  const Question question{protocol::role_needed(request), only_asks_for(request),
                          request.header("Authorization")};
  if (!is_from_a_web_page(request)) return judge(question);
  auto judged = judge_token(question);
  if (!judged.refusal) judged.refusal = deny_web_page(judged.caller.name);
  return judged;
}

Judgement Gate::judge_page(const http::Request& request) const {
  if (!hosts_.contain(request.header("Host"))) return {deny_host(), {}};
  const bool is_link = request.header("Sec-Fetch-Mode") == "navigate";
  if (!is_link && is_from_a_web_page(request)) return {deny_web_page({}), {}};
  return {};
}

}  // namespace belay::tool
