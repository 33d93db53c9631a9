// The requests that were denied because of who asked: counted for the metrics, and logged so that
// whoever tries tokens cannot fill the log.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/mutex.h"
#include "serve/protocol/metrics.h"

namespace belay::tool {

enum class Denial : std::uint8_t { no_token, unknown_token, small_role, other_host, web_page };
inline constexpr std::size_t kDenials = 5;

// The status of the answer, and the reason's name in the metrics and the log.
int status_of(Denial denial);
const char* name_of(Denial denial);

// Thread-safe.
class Denials {
 public:
  using Clock = std::chrono::steady_clock;
  // The log has at most one line in this time.
  static constexpr std::chrono::seconds kLineEvery{5};

  // Counts a denial. A result means that this denial gets a line in the log; it is the number of
  // denials since the last line that got none.
  std::optional<std::uint64_t> add(Denial denial, Clock::time_point at);
  std::vector<protocol::DeniedFigure> figures() const;

 private:
  std::array<std::atomic<std::uint64_t>, kDenials> counts_{};
  base::Mutex mutex_;
  std::optional<Clock::time_point> last_line_ BELAY_GUARDED_BY(mutex_);
  std::uint64_t left_out_ BELAY_GUARDED_BY(mutex_) = 0;
};

}  // namespace belay::tool
