#include "web/exchange.h"

#include <utility>
#include <vector>

#include "threads/scarce.h"
#include "web/answer.h"

namespace belay::web {
namespace {

Response closing() { return to_response({Answer::Kind::overload, "the server is closing", {}}); }
// The work for it was dropped.
Response busy() { return to_response({Answer::Kind::overload, "too busy, try again", {}}); }

}  // namespace

Exchange::Exchange(std::shared_ptr<Exchanges> owner, std::string_view api, Respond respond)
    : owner_(std::move(owner)),
      api_(api),
      respond_(std::move(respond)),
      begun_(std::chrono::steady_clock::now()) {}

// Without memory for words the status has to do.
Exchange::~Exchange() {
  if (answered_ || threads::run_if_memory([this] { answer(busy()); })) return;
  threads::run_if_memory([this] { answer(Response{503, {}, {}, {}}); });
}

void Exchange::answer(Response response) {
  if (answered_.exchange(true)) return;
  // Whatever happens, nobody waits for this one any more.
  const std::unique_ptr<Exchange, void (*)(Exchange*)> end(
      this, [](Exchange* self) { self->owner_->forget(self); });
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begun_;
  const auto status = response.status;
  respond_(std::move(response));
  owner_->metrics().count_request(api_, status, taken.count());
}

std::shared_ptr<Exchange> Exchanges::begin(std::string_view api, Respond respond) {
  auto exchange = std::make_shared<Exchange>(shared_from_this(), api, std::move(respond));
  const std::lock_guard lock(mutex_);
  open_.emplace(exchange.get(), exchange);
  return exchange;
}

void Exchanges::forget(const Exchange* exchange) {
  const std::lock_guard lock(mutex_);
  open_.erase(exchange);
  if (open_.empty()) none_left_.notify_all();
}

void Exchanges::end_all() {
  std::vector<std::shared_ptr<Exchange>> left;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, weak] : open_) {
      if (auto exchange = weak.lock()) left.push_back(std::move(exchange));
    }
  }
  for (const auto& exchange : left) exchange->answer(closing());
  std::unique_lock lock(mutex_);
  none_left_.wait(lock, [this] { return open_.empty(); });
}

}  // namespace belay::web
