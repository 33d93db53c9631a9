#include "unit/api/site.h"

#include <doctest/doctest.h>

#include <chrono>
#include <thread>
#include <utility>

namespace belay::test {

using namespace std::chrono_literals;

Site::Site(History history) : history_(history) { open(); }

Site::~Site() { keep_answers(false); }

void Site::open() {
  Options options;
  options.history = history_;
  options.retry.first_interval = 1ms;
  options.retry.jitter = 0;
  auto engine = Engine::open(path_, options);
  if (!engine) MESSAGE(engine.error().detail);
  REQUIRE(engine.has_value());
  engine_ = std::make_unique<Engine>(std::move(*engine));
  for (const auto* name : {"seat.try", "seat.confirm", "seat.cancel", "meal.try", "meal.confirm",
                           "meal.cancel", "mail", "news.a", "news.b", "check"})
    REQUIRE(engine_->handle(name, answer, this));
  for (const auto* name : {"slow.try", "slow.confirm", "slow.cancel"})
    REQUIRE(engine_->handle_async(name, answer_later, this));
  REQUIRE(engine_->start());
}

void Site::reopen() {
  keep_answers(false);
  REQUIRE(engine_->close());
  engine_.reset();
  open();
}

void Site::crash() {
  const auto copy = dir_.file("copy" + std::to_string(++copies_));
  // By another process: closing a file of its own here would drop this process's locks on it.
  for (const char* tail : {"", "-wal"}) run({.argv = {"/bin/cp", path_ + tail, copy + tail}});
  keep_answers(false);
  REQUIRE(engine_->close());
  engine_.reset();
  forget_calls();
  path_ = copy;
  open();
}

void Site::answer_with(const std::string& target, const Outcome& outcome) {
  const std::lock_guard lock(mutex_);
  outcomes_.insert_or_assign(target, outcome);
}

void Site::keep_answers(bool keep) {
  std::vector<Reply> kept;
  {
    const std::lock_guard lock(mutex_);
    keeps_ = keep;
    if (!keep) kept.swap(kept_);
  }
  for (auto& reply : kept) reply.complete(Outcome::success());
}

Calls Site::calls() {
  const std::lock_guard lock(mutex_);
  return calls_;
}

void Site::forget_calls() {
  const std::lock_guard lock(mutex_);
  calls_.clear();
}

bool Site::called(std::size_t count) {
  // The wait that times out is the pause between two looks.
  for (int looks = 0; looks < 2'000; ++looks) {
    if (calls().size() >= count) return true;
    std::this_thread::yield();
    static_cast<void>(engine_->wait("nobody", 1ms).has_value());
    const auto until = std::chrono::steady_clock::now() + 5ms;
    while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
  }
  return false;
}

Status Site::status_of(const std::string& gid) {
  auto report = engine_->wait(gid, 10s);
  if (!report) report = engine_->find(gid);
  REQUIRE(report.has_value());
  return report->status();
}

Outcome Site::note(const Call& call) {
  const std::lock_guard lock(mutex_);
  calls_.push_back(std::string(call.gid) + " " + std::string(call.branch_id) + " " +
                   std::string(name_of(call.op)) + " " + std::string(call.target));
  const auto found = outcomes_.find(call.target);
  return found == outcomes_.end() ? Outcome::success() : found->second;
}

Outcome Site::answer(const Call& call, void* self) { return static_cast<Site*>(self)->note(call); }

void Site::answer_later(const Call& call, Reply reply, void* self) {
  auto& site = *static_cast<Site*>(self);
  auto outcome = site.note(call);
  {
    const std::lock_guard lock(site.mutex_);
    if (site.keeps_) return site.kept_.push_back(std::move(reply));
  }
  reply.complete(std::move(outcome));
}

}  // namespace belay::test
