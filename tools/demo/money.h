// Amounts as people write them. A bank counts cents.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace belay::demo {

// One transfer's most: a thousand million. A million of them still add up in 64 bits.
constexpr std::int64_t kAmountCentsMax = 100'000'000'000;

// "1,234.50", "-3.00".
std::string money(std::int64_t cents);
// "1234.5", "1234.50" or "1234"; more decimals, signs, separators and all else are refused. No
// upper bound but 15 digits.
std::optional<std::int64_t> parse_cents(std::string_view text);

}  // namespace belay::demo
