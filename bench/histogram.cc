#include "histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace belay::bench {

// Values below 128 have a bucket each. For larger values the leading 8 bits determine the bucket:
// the power of two, then 7 bits.
std::size_t Histogram::bucket_of(std::uint64_t value) noexcept {
  value = std::min(value, (std::uint64_t{1} << kValueBits) - 1);
  if (value < kSubBuckets) return static_cast<std::size_t>(value);
  const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - kSubBits - 1;
  return static_cast<std::size_t>((shift + 1) * kSubBuckets + ((value >> shift) - kSubBuckets));
}

std::uint64_t Histogram::middle_of(std::size_t bucket) noexcept {
  if (bucket < kSubBuckets) return bucket;
  const std::uint64_t shift = bucket / kSubBuckets - 1;
  const std::uint64_t low = (bucket % kSubBuckets + kSubBuckets) << shift;
  return low + ((std::uint64_t{1} << shift) >> 1);
}

void Histogram::record(std::uint64_t value, std::uint64_t times) noexcept {
  counts_[bucket_of(value)] += times;
  count_ += times;
  max_ = std::max(max_, value);
}

void Histogram::add(const Histogram& other) noexcept {
  for (std::size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

void Histogram::clear() noexcept { *this = Histogram{}; }

std::uint64_t Histogram::quantile(double part) const noexcept {
  if (count_ == 0) return 0;
  const double wanted = std::ceil(std::clamp(part, 0.0, 1.0) * static_cast<double>(count_));
  const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(wanted));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += counts_[i];
    if (seen >= rank) return std::min(middle_of(i), max_);
  }
  return max_;
}

void Histogram::for_each(const std::function<void(std::uint64_t, std::uint64_t)>& take) const {
  for (std::size_t i = 0; i < kBuckets; ++i) {
    if (counts_[i] > 0) take(std::min(middle_of(i), max_), counts_[i]);
  }
}

}  // namespace belay::bench
