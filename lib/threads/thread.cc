#include "threads/thread.h"

#include <pthread.h>
#include <signal.h>

#include <string>
#include <system_error>
#include <utility>

#include "belay/check.h"

namespace belay::threads {
namespace {

struct Start {
  const char* name;
  std::function<void()> run;
};

// A thread sets its own name: setting the name of another thread uses /proc, which may be missing.
void* run_and_end(void* start) noexcept {
  const std::unique_ptr<Start> own(static_cast<Start*>(start));
  pthread_setname_np(pthread_self(), own->name);
  own->run();
  return nullptr;
}

// The signals that a thread blocks from its start. Faults are not blocked: a blocked fault would
// kill the process without calling the host's handler.
sigset_t blocked_signals() {
  sigset_t signals;
  sigfillset(&signals);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT})
    sigdelset(&signals, fault);
  return signals;
}

}  // namespace

struct Thread::Handle {
  pthread_t thread{};
};

Thread::Thread() noexcept = default;
Thread::Thread(Thread&&) noexcept = default;
Thread::Thread(std::unique_ptr<Handle> handle) noexcept : handle_(std::move(handle)) {}

Thread& Thread::operator=(Thread&& other) noexcept {
  if (this != &other) {
    join();
    handle_ = std::move(other.handle_);
  }
  return *this;
}

Thread::~Thread() { join(); }

Result<Thread> Thread::start(const char* name, std::function<void()> run) {
  auto own = std::make_unique<Start>(Start{name, std::move(run)});
  auto handle = std::make_unique<Handle>();
  const auto blocked = blocked_signals();
  sigset_t before;
  BELAY_CHECK(pthread_sigmask(SIG_SETMASK, &blocked, &before) == 0);
  const int code = pthread_create(&handle->thread, nullptr, &run_and_end, own.get());
  BELAY_CHECK(pthread_sigmask(SIG_SETMASK, &before, nullptr) == 0);
  if (code != 0) {
    return Error{ErrorCode::resources,
                 std::string("the thread '") + name +
                     "' cannot be started: " + std::system_category().message(code)};
  }
  static_cast<void>(own.release());  // now owned by the thread
  return Thread(std::move(handle));
}

void Thread::join() {
  if (const auto handle = std::exchange(handle_, nullptr))
    BELAY_CHECK(pthread_join(handle->thread, nullptr) == 0);
}

}  // namespace belay::threads
