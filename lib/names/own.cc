// Asks a resolver of the embedding program, again and again. Its answer may come from any thread
// and at any time, also when nobody waits for it any more.
#include <atomic>
#include <utility>

#include "base/enter.h"
#include "names/backoff.h"
#include "names/resolver.h"

namespace belay::names {
namespace {

constexpr std::uint64_t kAnswerLimitMillis = 30'000;

class OwnWatch final : public Watch {
 public:
  OwnWatch(const Site& site, const Name& name, const Resolver& resolver, Listener listener)
      : site_(site),
        name_(name),
        resolver_(resolver),
        listener_(std::move(listener)),
        next_(site.timers) {
    next_.set(0, [this] { ask(); });
  }
  ~OwnWatch() override { leave(); }

 private:
  // One question; its answer holds it.
  struct Asked {
    std::atomic<bool> is_answered = false;
    OwnWatch* watch = nullptr;  // on the loop only; null: nobody waits any more
  };

  void ask();
  void on_answer(Result<std::vector<Endpoint>> answer);
  void fail(std::string why);
  void leave() {
    if (asked_) asked_->watch = nullptr;
    asked_.reset();
  }

  const Site site_;
  const Name name_;
  const Resolver& resolver_;
  const Listener listener_;
  Backoff backoff_;
  std::shared_ptr<Asked> asked_;
  Alarm next_;
};

void OwnWatch::ask() {
  leave();
  asked_ = std::make_shared<Asked>();
  asked_->watch = this;
  next_.set(kAnswerLimitMillis, [this] { fail("the resolver has not answered in time"); });
  // The question is copied into the answer's function: this object may be gone by then.
  Resolved done = [asked = asked_, post = site_.post](Result<std::vector<Endpoint>> answer) {
    if (asked->is_answered.exchange(true)) return;
    post([asked, answer = std::move(answer)]() mutable {
      if (asked->watch != nullptr) asked->watch->on_answer(std::move(answer));
    });
  };
  const auto entered =
      base::enter(site_.log, "a resolver", [&] { resolver_.ask(name_.name, std::move(done)); });
  if (!entered) fail("the resolver threw an exception");
}

void OwnWatch::on_answer(Result<std::vector<Endpoint>> answer) {
  if (!answer) return fail(answer.error().detail);
  leave();
  backoff_.reset();
  next_.set(static_cast<std::uint64_t>(resolver_.refresh.count()), [this] { ask(); });
  listener_.found(std::move(*answer));
}

void OwnWatch::fail(std::string why) {
  leave();
  next_.set(backoff_.next(), [this] { ask(); });
  listener_.failed(std::move(why));
}

}  // namespace

std::unique_ptr<Watch> watch_own(const Site& site, const Name& name, const Resolver& resolver,
                                 Listener listener) {
  return std::make_unique<OwnWatch>(site, name, resolver, std::move(listener));
}

}  // namespace belay::names
