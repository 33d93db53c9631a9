// The public functions: checks of what is allowed where, and waiting.
#include "belay/engine.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "api/impl.h"
#include "core/definition.h"
#include "store/journal.h"

namespace belay {
namespace {

// Where a waiting thread and the loop meet. Shared: the thread may leave first.
class Rendezvous {
 public:
  void arrive(const Result<Report>& result) {
    const std::lock_guard lock(mutex_);
    result_ = result;
    arrived_.notify_one();
  }
  Result<Report> wait() {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [this] { return result_.has_value(); });
    return *result_;
  }
  std::optional<Result<Report>> wait_for(Millis timeout) {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, timeout, [this] { return result_.has_value(); });
    return result_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::optional<Result<Report>> result_;
};

ReportCallback arriving(const std::shared_ptr<Rendezvous>& rendezvous) {
  return [rendezvous](const Result<Report>& result) { rendezvous->arrive(result); };
}

// what a condition variable can still add to now
constexpr Millis kWaitMax{10LL * 365 * 24 * 3600 * 1000};

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
  auto journal = store::Journal::open(config);
  if (!journal) return journal.error();
  auto impl = Impl::make(options, std::move(*journal));
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

Result<> Engine::submit(const Saga& saga, ReportCallback done) {
  return impl_->submit(saga, saga.waits_for_result(), std::move(done));
}

Result<Report> Engine::submit(const Saga& saga) {
  BELAY_TRY(impl_->may_wait());
  const auto rendezvous = std::make_shared<Rendezvous>();
  BELAY_TRY(impl_->submit(saga, saga.waits_for_result(), arriving(rendezvous)));
  return rendezvous->wait();
}

Result<Report> Engine::run(const Saga& saga) {
  BELAY_TRY(impl_->may_wait());
  const auto rendezvous = std::make_shared<Rendezvous>();
  BELAY_TRY(impl_->submit(saga, true, arriving(rendezvous)));
  return rendezvous->wait();
}

Result<> Engine::find(std::string_view gid, ReportCallback done) {
  return impl_->find(gid, std::move(done));
}

Result<Report> Engine::find(std::string_view gid) {
  BELAY_TRY(impl_->may_wait());
  const auto rendezvous = std::make_shared<Rendezvous>();
  BELAY_TRY(impl_->find(gid, arriving(rendezvous)));
  return rendezvous->wait();
}

Result<Report> Engine::wait(std::string_view gid, Millis timeout) {
  BELAY_TRY(impl_->may_wait());
  timeout = std::min(timeout, kWaitMax);
  const auto rendezvous = std::make_shared<Rendezvous>();
  BELAY_TRY(impl_->wait(gid, timeout, arriving(rendezvous)));
  if (auto result = rendezvous->wait_for(timeout)) return std::move(*result);
  return Error{ErrorCode::timed_out, "'" + std::string(gid) + "' was not final within " +
                                         std::to_string(timeout.count()) + " ms; it goes on"};
}

Counters Engine::counters() const { return impl_->counters(); }

Result<> Engine::close() { return impl_->close_and_join(); }

Result<> Engine::close(ClosedCallback closed) { return impl_->close(std::move(closed)); }

}  // namespace belay
