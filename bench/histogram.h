// Latencies in a fixed amount of memory: counts for buckets, 128 for each power of two, so that the
// error of a quantile is less than 0.8 %. Recording takes a shift and an increment; no value is
// sampled or dropped. Use it from one thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace belay::bench {

class Histogram {
 public:
  void record(std::uint64_t value, std::uint64_t times = 1) noexcept;
  void add(const Histogram& other) noexcept;
  void clear() noexcept;

  std::uint64_t count() const noexcept { return count_; }
  std::uint64_t max() const noexcept { return max_; }
  // The value that the fraction `part` (0 to 1) of all values does not exceed; 0 if there are none.
  std::uint64_t quantile(double part) const noexcept;
  // Calls `take` with the middle of each bucket that has values, and their number.
  void for_each(const std::function<void(std::uint64_t, std::uint64_t)>& take) const;

 private:
  static constexpr unsigned kSubBits = 7;
  static constexpr std::uint64_t kSubBuckets = std::uint64_t{1} << kSubBits;
  // Nanoseconds up to almost five hours; longer times count as that.
  static constexpr unsigned kValueBits = 44;
  static constexpr std::size_t kBuckets = (kValueBits - kSubBits + 1) * kSubBuckets;

  static std::size_t bucket_of(std::uint64_t value) noexcept;
  static std::uint64_t middle_of(std::size_t bucket) noexcept;

  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace belay::bench
