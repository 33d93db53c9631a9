#include "base/log.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/json_text.h"
#include "base/secrets.h"

namespace belay::base {

std::string field_text(std::string_view value) {
  const bool is_plain = std::none_of(value.begin(), value.end(), [](char c) {
    return c == ' ' || c == '"' || c == '\\' || is_control(c);
  });
  std::string text;
  if (is_plain)
    text = value;
  else
    append_json_string(text, value, OddBytes::kept);
  return text;
}

const Log& Log::none() {
  static const Log nobody;
  return nobody;
}

void Log::threw(std::string_view whose, const char* what) const noexcept {
  try {
    error("{} threw: {}", whose, what);
  } catch (...) {  // there is no memory for the line
  }
}

void Log::write(LogLine line, std::string text) const noexcept {
  std::replace_if(text.begin(), text.end(), is_control, ' ');
  try {
    const auto shown = without_secrets(text);
    const auto error = without_secrets(line.error);
    line.text = shown;
    line.error = error;
    sink_(line, user_);
  } catch (...) {  // if a host's sink throws, only this line is lost
  }
}

}  // namespace belay::base
