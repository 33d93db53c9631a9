#include "serve/registration.h"

#include <algorithm>
#include <utility>

#include "threads/scarce.h"

namespace belay::tool {
namespace {

// A third of the lifetime: two renewals may fail before the entry is gone.
constexpr Millis kRenewal{Registry::kLifetimeSeconds * 1000 / 3};
constexpr Millis kRetryFirst{500};
constexpr Millis kRetryMax{10'000};

}  // namespace

Registration::~Registration() {
  end();
  thread_.join();
}

Result<> Registration::start() {
  if (!registry_) return {};
  auto thread = threads::Thread::start("belay-register", [this] { run(); });
  if (!thread) return thread.error();
  thread_ = std::move(*thread);
  return {};
}

void Registration::end() {
  {
    const base::Lock lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
}

bool Registration::pause(Millis time) {
  base::Lock lock(mutex_);
  lock.wait_for(changed_, time, [this]() BELAY_REQUIRES(mutex_) { return ending_; });
  return !ending_;
}

void Registration::run() {
  do {
    bool done = false;
    threads::run_if_memory([&] { done = act(); });
    wait_ = done ? Millis(0) : std::clamp(wait_ * 2, kRetryFirst, kRetryMax);
    if (done) failing_ = false;
  } while (pause(failing_ ? wait_ : kRenewal));
  // Also if the last request failed: the registry may have carried it out.
  threads::run_if_memory([&] {
    if (const auto left = registry_->leave(); !left && registered_) {
      log_.warning("the registry was not told of the end, and forgets this server by itself",
                   {{"registry", shown_}, {"reason", left.error().detail}});
    } else if (registered_) {
      log_.info("no longer registered", {{"registry", shown_}});
    }
  });
}

// True: it is registered now.
bool Registration::act() {
  const bool was_registered = registered_;
  auto done = was_registered ? registry_->renew() : registry_->enter();
  if (!done && was_registered && done.error().code == ErrorCode::not_found) {
    log_.warning("the registry has lost this server", {{"registry", shown_}});
    done = registry_->enter();
    registered_ = false;
  }
  if (done && (!registered_ || failing_)) log_.info("registered", {{"registry", shown_}});
  if (done) registered_ = true;
  // If a registry is down, only one line is logged.
  if (!done && !std::exchange(failing_, true)) {
    log_.warning("the registry cannot be told that this server is here; belay tries again",
                 {{"registry", shown_}, {"reason", done.error().detail}});
  }
  return done.has_value();
}

}  // namespace belay::tool
