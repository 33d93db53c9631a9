// Latencies in fixed space: counts per bucket, 128 buckets to every power of two, so that a
// quantile is off by less than 0.8 %. Recording is a shift and an increment; nothing is sampled or
// dropped. One thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace belay::bench {

class Histogram {
 public:
  void record(std::uint64_t value) noexcept;
  void add(const Histogram& other) noexcept;
  void clear() noexcept;

  std::uint64_t count() const noexcept { return count_; }
  std::uint64_t max() const noexcept { return max_; }
  // The value that `part` (0 to 1) of all values do not exceed; 0 if there are none.
  std::uint64_t quantile(double part) const noexcept;

 private:
  static constexpr unsigned kSubBits = 7;
  static constexpr std::uint64_t kSubBuckets = std::uint64_t{1} << kSubBits;
  static constexpr unsigned kValueBits =
      44;  // nanoseconds up to almost five hours; what is longer counts as that
  static constexpr std::size_t kBuckets = (kValueBits - kSubBits + 1) * kSubBuckets;

  static std::size_t bucket_of(std::uint64_t value) noexcept;
  static std::uint64_t middle_of(std::size_t bucket) noexcept;

  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace belay::bench
