#include "serve/protocol/admin/once.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "base/sha256.h"
#include "serve/protocol/admin/answer.h"

namespace belay::protocol::admin {
namespace {

constexpr std::string_view kKeyHeader = "Idempotency-Key";

bool is_key(std::string_view key) {
  return key.size() <= Keys::kKeyBytesMax &&
         std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

std::string digest_of(const http::Request& request) {
  const auto& path = request.sent_path.empty() ? request.path : request.sent_path;
  const auto hash = base::sha256(path + '\n' + request.body);
  return {hash.begin(), hash.end()};
}

// The key of one request in progress. If the request is dropped without an answer, the key is
// forgotten.
class Held {
 public:
  Held(ContextPtr context, std::string who, std::string key, http::Respond respond)
      : context_(std::move(context)),
        who_(std::move(who)),
        key_(std::move(key)),
        respond_(std::move(respond)) {}
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() { context_->keys.forget(who_, key_); }

  void answer(http::Response response) const {
    context_->keys.end(who_, key_, response);
    respond_(std::move(response));
  }

 private:
  const ContextPtr context_;
  const std::string who_;
  const std::string key_;
  const http::Respond respond_;
};

}  // namespace

void handle_once(const Turn& turn, Handler handler) {
  const auto respond = turn.respond();
  const auto key = turn.request.header(kKeyHeader);
  if (key.empty()) return handler(turn, respond);
  if (!is_key(key))
    return respond(
        bad_request(fmt::format("the header {} must have at most {} printable ASCII "
                                "characters and no blanks",
                                kKeyHeader, Keys::kKeyBytesMax)));
  const auto& who = turn.caller.name;
  const auto begun =
      turn.context->keys.begin(who, key, digest_of(turn.request), Keys::Clock::now());
  switch (begun.use) {
    case Keys::Use::again: return respond(begun.answer);
    case Keys::Use::open:
      return respond(error(409, "conflict", "a request with this key is being carried out"));
    case Keys::Use::other:
      return respond(error(422, "idempotency_key_reused", "another request had this key"));
    case Keys::Use::first: break;
  }
  const auto held = std::make_shared<Held>(turn.context, who, std::string(key), respond);
  handler(turn, [held](http::Response response) { held->answer(std::move(response)); });
}

}  // namespace belay::protocol::admin
