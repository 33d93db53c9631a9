#include "hook/http_date.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "base/ascii.h"
#include "base/number.h"

namespace belay::hook {
namespace {

// A letter stands for itself, 0 for a digit, and ? for a letter of a name.
constexpr std::string_view kForm = "???, 00 ??? 0000 00:00:00 GMT";
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

bool has_form(std::string_view text) {
  return std::equal(text.begin(), text.end(), kForm.begin(), kForm.end(), [](char c, char form) {
    return form == '0' ? base::is_digit(c) : form == '?' ? base::is_letter(c) : c == form;
  });
}

unsigned number(std::string_view digits) { return *base::parse_number<unsigned>(digits); }

}  // namespace

std::optional<TimePoint> parse_http_date(std::string_view text) {
  if (!has_form(text)) return std::nullopt;
  const auto* month = std::find(kMonths.begin(), kMonths.end(), text.substr(8, 3));
  const std::chrono::year_month_day date(
      std::chrono::year(static_cast<int>(number(text.substr(12, 4)))),
      std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
      std::chrono::day(number(text.substr(5, 2))));
  if (!date.ok() || kDays.at(std::chrono::weekday(date).c_encoding()) != text.substr(0, 3))
    return std::nullopt;
  const std::chrono::hours hour(number(text.substr(17, 2)));
  const std::chrono::minutes minute(number(text.substr(20, 2)));
  const std::chrono::seconds second(number(text.substr(23, 2)));
  // 60 is a leap second.
  if (hour >= std::chrono::hours(24) || minute >= std::chrono::minutes(60) ||
      second > std::chrono::seconds(60))
    return std::nullopt;
  return std::chrono::sys_days(date) + hour + minute + second;
}

}  // namespace belay::hook
