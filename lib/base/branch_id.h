// How a branch is called everywhere: "01", "02", …, "99", "100".
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <string_view>

namespace belay::base {

class BranchId {
 public:
  // `index` counts from 0.
  explicit BranchId(std::uint32_t index) {
    digits_[0] = '0';
    auto* begin = digits_.data() + (index < 9 ? 1 : 0);
    const auto end =
        std::to_chars(begin, digits_.data() + digits_.size(), std::uint64_t{index} + 1).ptr;
    size_ = static_cast<std::size_t>(end - digits_.data());
  }

  std::string_view view() const { return {digits_.data(), size_}; }

 private:
  std::array<char, 12> digits_{};
  std::size_t size_ = 0;
};

}  // namespace belay::base
