#include "serve/opening.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include "serve/notify.h"
#include "serve/signals.h"
#include "threads/thread.h"

namespace belay::tool {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Clock::duration kPauseMin = std::chrono::seconds(1);
constexpr Clock::duration kPauseMax = std::chrono::minutes(1);
constexpr Clock::duration kTellEvery = std::chrono::minutes(10);
constexpr Millis kSignalLook{10};

// Opening a file cannot be interrupted, but the process can end meanwhile: even a kill -9 loses
// nothing.
class EndMeanwhile {
 public:
  EndMeanwhile() = default;
  EndMeanwhile(const EndMeanwhile&) = delete;
  EndMeanwhile& operator=(const EndMeanwhile&) = delete;
  ~EndMeanwhile() {
    opened_ = true;
    thread_.join();
  }

  // Errors: resources.
  Result<> start(ServeLog& log) {
    auto thread = threads::Thread::start("belay-opening", [this, &log] { watch(log); });
    if (!thread) return thread.error();
    thread_ = std::move(*thread);
    return {};
  }

 private:
  void watch(ServeLog& log) const {
    while (!opened_) {
      if (!wait_for_end_signal(kSignalLook)) continue;
      notify_manager("STOPPING=1");
      log.info("stopped before the state file was open: nothing was begun");
      log.flush(ServeLog::kLastLines);
      _exit(0);
    }
  }

  std::atomic<bool> opened_{false};
  threads::Thread thread_;
};

}  // namespace

Result<Engine> open_state_file(const ServeSettings& settings, ServeLog& log) {
  EndMeanwhile end;
  BELAY_TRY(end.start(log));
  std::optional<Clock::time_point> told_at;
  while (true) {
    const auto began = Clock::now();
    auto engine = Engine::open(settings.db, settings.engine);
    if (engine || engine.error().code != ErrorCode::no_space) return engine;
    const auto now = Clock::now();
    if (!told_at || now - *told_at > kTellEvery) {
      told_at = now;
      log.warning("waiting for room on the disk: " + engine.error().detail);
      notify_manager("STATUS=waiting for room on the disk of " + settings.db);
    }
    // If each attempt checks the file, the pause leaves the processor free for half of the time.
    std::this_thread::sleep_for(std::clamp(now - began, kPauseMin, kPauseMax));
  }
}

}  // namespace belay::tool
