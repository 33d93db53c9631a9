// The id of a branch: "01", "02", …, "99", "100"; "00" for a message's back-check; or the id that
// its caller chose.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <string_view>

namespace belay::base {

class BranchId {
 public:
  // The id of a message's back-check: "00".
  static BranchId query() { return BranchId(~0u); }
  // `index` counts from 0.
  explicit BranchId(std::uint32_t index) {
    const auto number = index + 1;  // 0 for the back-check
    digits_[0] = '0';
    auto* begin = digits_.data() + (number < 10 ? 1 : 0);
    const auto end = std::to_chars(begin, digits_.data() + digits_.size(), number).ptr;
    size_ = static_cast<std::size_t>(end - digits_.data());
  }

  // The caller's own id; its bytes must outlive this object.
  explicit BranchId(std::string_view own) : own_(own) {}

  std::string_view view() const {
    return own_.empty() ? std::string_view(digits_.data(), size_) : own_;
  }

 private:
  std::array<char, 12> digits_{};
  std::size_t size_ = 0;
  std::string_view own_{};
};

}  // namespace belay::base
