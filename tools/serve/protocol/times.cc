#include "serve/protocol/times.h"

#include <chrono>

namespace belay::protocol {
namespace {

void put(std::string& out, std::int64_t number, std::size_t digits) {
  const auto text = std::to_string(number);
  if (text.size() < digits) out.append(digits - text.size(), '0');
  out += text;
}

}  // namespace

std::string to_rfc3339(TimePoint at) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(at - day);
  std::string text;
  put(text, static_cast<int>(date.year()), 4);
  text += '-';
  put(text, static_cast<unsigned>(date.month()), 2);
  text += '-';
  put(text, static_cast<unsigned>(date.day()), 2);
  text += 'T';
  put(text, time.hours().count(), 2);
  text += ':';
  put(text, time.minutes().count(), 2);
  text += ':';
  put(text, time.seconds().count(), 2);
  text += '.';
  put(text, time.subseconds().count(), 3);
  return text + "+00:00";
}

}  // namespace belay::protocol
