#include "xa/conninfo.h"

#include <fmt/format.h>

namespace belay::xa {
namespace {

constexpr std::string_view kBlanks = " \t\n";

// Reads one value from the front of `text`: unquoted up to a blank, or in single quotes.
bool take_value(std::string_view& text, std::string& value) {
  const bool quoted = text.starts_with('\'');
  if (quoted) text.remove_prefix(1);
  while (!text.empty()) {
    char c = text.front();
    if (quoted ? c == '\'' : kBlanks.find(c) != std::string_view::npos) break;
    text.remove_prefix(1);
    if (c == '\\' && !text.empty()) {
      c = text.front();
      text.remove_prefix(1);
    }
    value += c;
  }
  if (!quoted) return true;
  if (text.empty()) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

Result<Parts> parse_parts(std::string_view text) {
  Parts parts;
  while (true) {
    const auto start = text.find_first_not_of(kBlanks);
    if (start == std::string_view::npos) return parts;
    text.remove_prefix(start);
    const auto equals = text.find('=');
    const auto name = text.substr(0, equals);
    if (equals == std::string_view::npos || name.find_first_of(kBlanks) != std::string_view::npos) {
      // The error does not contain the text, which may hold a password.
      return Error{ErrorCode::invalid_argument, "the conninfo has a word without '='"};
    }
    text.remove_prefix(equals + 1);
    std::string value;
    if (!take_value(text, value)) {
      return Error{ErrorCode::invalid_argument,
                   fmt::format("the conninfo's value of '{}' has no closing quote", name)};
    }
    parts[std::string(name)] = std::move(value);
  }
}

}  // namespace belay::xa
