#include "base/gid.h"

#include "base/forks.h"
#include "base/mutex.h"
#include "base/random.h"

namespace belay::base {
namespace {

struct Sequence {
  base::Mutex mutex;
  const bool watched = watch_forks();
  std::uint32_t forks BELAY_GUARDED_BY(mutex) = base::forks();
  std::uint64_t ms BELAY_GUARDED_BY(mutex) = 0;
  // 16 bits. Initialized here too, for a clock that returns 0.
  std::uint64_t high BELAY_GUARDED_BY(mutex) = random64() & 0x7fff;
  std::uint64_t low BELAY_GUARDED_BY(mutex) = random64();
};

void advance(Sequence& sequence, std::uint64_t now_ms) BELAY_REQUIRES(sequence.mutex) {
  const bool is_later = now_ms > sequence.ms;
  // Without the second condition a forked child would count on from the same number as its parent.
  if (is_later || sequence.forks != base::forks()) {
    sequence.ms = is_later ? now_ms : sequence.ms;
    sequence.forks = base::forks();
    sequence.high = random64() & 0x7fff;  // the top bit is 0: room to count up
    sequence.low = random64();
    return;
  }
  // The same millisecond, or a clock that went back: the number is incremented, so that the order
  // holds.
  if (++sequence.low == 0) ++sequence.high;
}

}  // namespace

std::string make_gid(std::uint64_t now_ms) {
  static Sequence sequence;
  static constexpr char kDigits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  const base::Lock lock(sequence.mutex);
  advance(sequence, now_ms);
  std::string gid(kMadeGidBytes, '0');
  auto ms = sequence.ms;
  for (std::size_t i = 10; i-- > 0; ms >>= 5) gid[i] = kDigits[ms & 31];
  auto low = sequence.low;
  auto high = sequence.high;
  for (std::size_t i = kMadeGidBytes; i-- > 10;) {
    gid[i] = kDigits[low & 31];
    low = (low >> 5) | (high << 59);
    high >>= 5;
  }
  return gid;
}

}  // namespace belay::base
