// The public functions: checks of what is allowed where, and waiting.
#include "belay/engine.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <variant>

#include "api/impl.h"
#include "base/log.h"
#include "core/definition.h"
#include "core/draft.h"
#include "store/journal.h"

namespace belay {
namespace {

// Where a waiting thread and the loop meet. Shared: the thread may leave first.
template <class T>
class Rendezvous {
 public:
  void arrive(const Result<T>& result) {
    const std::lock_guard lock(mutex_);
    result_ = result;
    arrived_.notify_one();
  }
  Result<T> wait() {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [this] { return result_.has_value(); });
    return *result_;
  }
  std::optional<Result<T>> wait_for(Millis timeout) {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, timeout, [this] { return result_.has_value(); });
    return result_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::optional<Result<T>> result_;
};

template <class T>
auto arriving(const std::shared_ptr<Rendezvous<T>>& rendezvous) {
  return [rendezvous](const Result<T>& result) { rendezvous->arrive(result); };
}

// Starts something that answers by callback, and waits for the answer.
template <class T, class Start>
Result<T> wait_for_answer(const Result<>& may_wait, Start start) {
  if (!may_wait) return may_wait.error();
  const auto rendezvous = std::make_shared<Rendezvous<T>>();
  BELAY_TRY(start(arriving(rendezvous)));
  return rendezvous->wait();
}

// The same, for what may take other handlers to be answered: a blocking handler that waits for it
// gives its place to them.
template <class T, class Start>
Result<T> wait_for_handlers(const Result<>& may_wait, Start start) {
  const auto place = api::Blocking::Wait::begin();
  if (!place) return place.error();
  return wait_for_answer<T>(may_wait, start);
}

constexpr Millis kDelayMax{365LL * 24 * 3600 * 1000};  // as a description's
// what a condition variable can still add to now
constexpr Millis kWaitMax{10LL * 365 * 24 * 3600 * 1000};

constexpr std::uint64_t kTellEveryUs = 5'000'000;

// A line every few seconds, and none if it takes less.
std::function<void(unsigned)> check_teller(const Options& options, const std::string& path) {
  return [log = base::Log(options.log, options.log_user, options.log_level), path,
          told = loop::monotonic_us()](unsigned percent) mutable {
    const auto now = loop::monotonic_us();
    if (now - told < kTellEveryUs) return;
    told = now;
    log.info("checking {}: {} %", path, percent);
  };
}

Error late(std::string_view gid, Millis timeout) {
  return {ErrorCode::timed_out, "'" + std::string(gid) + "' was not final within " +
                                    std::to_string(timeout.count()) + " ms; it goes on"};
}

}  // namespace

Engine::Engine(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Engine::Engine(Engine&&) noexcept = default;

Engine& Engine::operator=(Engine&& other) noexcept {
  if (this != &other) {
    const Engine old(std::move(*this));
    impl_ = std::move(other.impl_);
  }
  return *this;
}

Engine::~Engine() {
  if (impl_) static_cast<void>(impl_->close_and_join().has_value());  // closed before is fine
}

Result<Engine> Engine::open(std::string_view path, const Options& options) {
  BELAY_TRY(core::check_options(options));
  store::JournalConfig config;
  config.path = path;
  config.stuck_after = options.stuck_after;
  config.now_us = &loop::monotonic_us;
  config.must_exist = options.must_exist;
  if (options.check_at_open) config.check_progress = check_teller(options, config.path);
  auto hooks = hook::Hooks::make(options.hooks, std::random_device()());
  if (!hooks) return hooks.error();
  auto journal = store::Journal::open(config);
  if (!journal) return journal.error();
  auto impl = Impl::make(options, std::move(*hooks), std::move(*journal));
  if (!impl) return impl.error();
  return Engine(std::move(*impl));
}

Result<> Engine::handle(std::string_view name, Handler handler, void* user) {
  return impl_->handle(name, {api::HandlerEntry::Kind::immediate, handler, nullptr, user});
}

Result<> Engine::handle_blocking(std::string_view name, Handler handler, void* user) {
  return impl_->handle(name, {api::HandlerEntry::Kind::blocking, handler, nullptr, user});
}

Result<> Engine::handle_async(std::string_view name, AsyncHandler handler, void* user) {
  return impl_->handle(name, {api::HandlerEntry::Kind::async, nullptr, handler, user});
}

Result<> Engine::start() { return impl_->start(); }

Result<> Engine::submit(Description description, ReportCallback done) {
  return impl_->enter(description, core::Entry::submit, std::nullopt, std::move(done));
}

Result<Report> Engine::submit(Description description) {
  const auto start = [&](ReportCallback done) { return submit(description, std::move(done)); };
  return core::draft_of(description).settings->wait_result
             ? wait_for_handlers<Report>(impl_->may_wait(), start)
             : wait_for_answer<Report>(impl_->may_wait(), start);
}

Result<Report> Engine::run(Description description) {
  return wait_for_handlers<Report>(impl_->may_wait(), [&](ReportCallback done) {
    return impl_->enter(description, core::Entry::submit, true, std::move(done));
  });
}

Result<> Engine::prepare(Description description, ReportCallback done) {
  return impl_->enter(description, core::Entry::prepare, false, std::move(done));
}

Result<Report> Engine::prepare(Description description) {
  return wait_for_answer<Report>(impl_->may_wait(), [&](ReportCallback done) {
    return prepare(description, std::move(done));
  });
}

Result<> Engine::register_branch(std::string_view gid, const TwoPhaseBranch& branch,
                                 OutcomeCallback done) {
  return impl_->register_branch(gid, branch, std::move(done));
}

Result<Outcome> Engine::register_branch(std::string_view gid, const TwoPhaseBranch& branch) {
  return wait_for_handlers<Outcome>(impl_->may_wait(), [&](OutcomeCallback done) {
    return register_branch(gid, branch, std::move(done));
  });
}

Result<> Engine::submit_prepared(std::string_view gid, ReportCallback done) {
  return impl_->give_word(
      {std::string(gid), engine::WordRequest::Word::submit, {}, std::move(done)});
}

Result<> Engine::submit_prepared(std::string_view gid, Millis delay, ReportCallback done) {
  if (delay < Millis{0} || delay > kDelayMax) {
    return Error{ErrorCode::invalid_argument, "the delay is " + std::to_string(delay.count()) +
                                                  " ms, it must be 0 to " +
                                                  std::to_string(kDelayMax.count()) + " ms"};
  }
  return impl_->give_word({.gid = std::string(gid),
                           .word = engine::WordRequest::Word::submit,
                           .reason = {},
                           .done = std::move(done),
                           .delay = delay});
}

Result<Report> Engine::submit_prepared(std::string_view gid) {
  return wait_for_answer<Report>(impl_->may_wait(), [&](ReportCallback done) {
    return submit_prepared(gid, std::move(done));
  });
}

// The word itself waits for the end: afterwards the gid may be forgotten.
Result<Report> Engine::run_prepared(std::string_view gid, Millis timeout) {
  BELAY_TRY(impl_->may_wait());
  const auto place = api::Blocking::Wait::begin();
  if (!place) return place.error();
  timeout = std::clamp(timeout, Millis{1}, kWaitMax);
  const auto rendezvous = std::make_shared<Rendezvous<Report>>();
  BELAY_TRY(impl_->give_word({std::string(gid),
                              engine::WordRequest::Word::submit,
                              {},
                              arriving(rendezvous),
                              true,
                              static_cast<std::uint64_t>(timeout.count())}));
  if (auto result = rendezvous->wait_for(timeout)) return std::move(*result);
  // It may not be decided yet. Said again, it is answered when it is on disk, or as refused.
  auto again = submit_prepared(gid);
  if (auto result = rendezvous->wait_for(Millis{0})) return std::move(*result);
  if (!again || again->finished()) return again;
  return late(gid, timeout);
}

Result<> Engine::abort(std::string_view gid, std::string_view reason, ReportCallback done) {
  return impl_->give_word(
      {std::string(gid), engine::WordRequest::Word::abort, std::string(reason), std::move(done)});
}

Result<Report> Engine::abort(std::string_view gid, std::string_view reason) {
  return wait_for_answer<Report>(
      impl_->may_wait(), [&](ReportCallback done) { return abort(gid, reason, std::move(done)); });
}

Result<> Engine::record_progress(std::string_view gid, const Progress& progress,
                                 DoneCallback done) {
  return impl_->record_progress(gid, progress, std::move(done));
}

Result<> Engine::record_progress(std::string_view gid, const Progress& progress) {
  return wait_for_answer<std::monostate>(impl_->may_wait(), [&](DoneCallback done) {
    return record_progress(gid, progress, std::move(done));
  });
}

Result<> Engine::finish_workflow(std::string_view gid, const WorkflowEnd& end,
                                 ReportCallback done) {
  return impl_->finish_workflow(gid, end, std::move(done));
}

Result<Report> Engine::finish_workflow(std::string_view gid, const WorkflowEnd& end) {
  return wait_for_answer<Report>(impl_->may_wait(), [&](ReportCallback done) {
    return finish_workflow(gid, end, std::move(done));
  });
}

Result<> Engine::force_stop(std::string_view gid, std::string_view reason, ReportCallback done) {
  return impl_->give_word(
      {std::string(gid), engine::WordRequest::Word::stop, std::string(reason), std::move(done)});
}

Result<Report> Engine::force_stop(std::string_view gid, std::string_view reason) {
  return wait_for_handlers<Report>(impl_->may_wait(), [&](ReportCallback done) {
    return force_stop(gid, reason, std::move(done));
  });
}

Result<> Engine::retry_now(std::string_view gid, ReportCallback done) {
  return impl_->give_word(
      {std::string(gid), engine::WordRequest::Word::hasten, {}, std::move(done)});
}

Result<Report> Engine::retry_now(std::string_view gid) {
  return wait_for_answer<Report>(
      impl_->may_wait(), [&](ReportCallback done) { return retry_now(gid, std::move(done)); });
}

Result<> Engine::retry_all_now(Millis later_than, std::uint32_t limit, WokenCallback done) {
  return impl_->hasten_all(later_than, limit, std::move(done));
}

Result<Woken> Engine::retry_all_now(Millis later_than, std::uint32_t limit) {
  return wait_for_answer<Woken>(impl_->may_wait(), [&](WokenCallback done) {
    return retry_all_now(later_than, limit, std::move(done));
  });
}

Result<> Engine::subscribe(const Subscription& subscription, DoneCallback done) {
  return impl_->change_topic({{subscription, false}, std::move(done)});
}

Result<> Engine::subscribe(const Subscription& subscription) {
  return wait_for_answer<std::monostate>(impl_->may_wait(), [&](DoneCallback done) {
    return subscribe(subscription, std::move(done));
  });
}

Result<> Engine::unsubscribe(std::string_view topic, std::string_view target, DoneCallback done) {
  return impl_->change_topic(
      {{{std::string(topic), std::string(target), {}}, true}, std::move(done)});
}

Result<> Engine::unsubscribe(std::string_view topic, std::string_view target) {
  return wait_for_answer<std::monostate>(impl_->may_wait(), [&](DoneCallback done) {
    return unsubscribe(topic, target, std::move(done));
  });
}

Result<> Engine::topics(TopicsCallback done) { return impl_->topics(std::move(done)); }

Result<std::vector<Subscription>> Engine::topics() {
  return wait_for_answer<std::vector<Subscription>>(
      impl_->may_wait(), [&](TopicsCallback done) { return topics(std::move(done)); });
}

Result<> Engine::find(std::string_view gid, ReportCallback done) {
  return impl_->find(gid, std::move(done));
}

Result<Report> Engine::find(std::string_view gid) {
  return wait_for_answer<Report>(impl_->may_wait(),
                                 [&](ReportCallback done) { return find(gid, std::move(done)); });
}

Result<Report> Engine::wait(std::string_view gid, Millis timeout) {
  BELAY_TRY(impl_->may_wait());
  const auto place = api::Blocking::Wait::begin();
  if (!place) return place.error();
  timeout = std::min(timeout, kWaitMax);
  const auto rendezvous = std::make_shared<Rendezvous<Report>>();
  BELAY_TRY(impl_->wait(gid, timeout, arriving(rendezvous)));
  if (auto result = rendezvous->wait_for(timeout)) return std::move(*result);
  return late(gid, timeout);
}

Result<> Engine::wait(std::string_view gid, ReportCallback done) {
  return impl_->wait(gid, std::nullopt, std::move(done));
}

Counters Engine::counters() const { return impl_->counters(); }

Result<> Engine::hosts(HostsCallback done) { return impl_->hosts(std::move(done)); }

Result<std::vector<HostFigures>> Engine::hosts() {
  return wait_for_answer<std::vector<HostFigures>>(
      impl_->may_wait(), [&](HostsCallback done) { return hosts(std::move(done)); });
}

Result<> Engine::check_storage(DoneCallback done) { return impl_->check_storage(std::move(done)); }

Result<> Engine::check_storage() {
  return wait_for_answer<std::monostate>(
      impl_->may_wait(), [&](DoneCallback done) { return check_storage(std::move(done)); });
}

Result<> Engine::note_realm(const XaRealm& realm) { return impl_->note_realm(realm); }

Result<> Engine::close() { return impl_->close_and_join(); }

Result<> Engine::close(ClosedCallback closed) { return impl_->close(std::move(closed)); }

}  // namespace belay
