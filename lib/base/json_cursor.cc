#include "base/json_cursor.h"

#include <algorithm>
#include <charconv>

#include "base/base64.h"
#include "base/json_text.h"

namespace belay::base {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

}  // namespace

void JsonCursor::fail() {
  ok_ = false;
  rest_ = {};
}

char JsonCursor::peek() {
  rest_.remove_prefix(std::min(rest_.find_first_not_of(kSpace), rest_.size()));
  return rest_.empty() ? '\0' : rest_.front();
}

bool JsonCursor::take(char wanted) {
  if (peek() != wanted || rest_.empty()) return false;
  rest_.remove_prefix(1);
  return true;
}

bool JsonCursor::take_word(std::string_view word) {
  peek();
  if (!rest_.starts_with(word)) return false;
  rest_.remove_prefix(word.size());
  return true;
}

void JsonCursor::enter(char open) {
  if (!take(open)) fail();
  first_ = true;
}

bool JsonCursor::more(char close) {
  if (!ok_) return false;
  const bool first = first_;
  first_ = false;
  if (take(close)) return false;
  if (!first && !take(',')) fail();
  return ok_;
}

std::string JsonCursor::key() {
  auto name = text();
  if (!take(':')) fail();
  return name;
}

// If `out` is null, the string is only skipped.
void JsonCursor::take_string(std::string* out) {
  if (!take('"')) return fail();
  while (ok_) {
    const auto plain = rest_.find_first_of("\"\\");
    if (plain == std::string_view::npos) return fail();
    if (out != nullptr) out->append(rest_.substr(0, plain));
    const bool ends = rest_[plain] == '"';
    rest_.remove_prefix(plain + 1);
    if (ends) return;
    if (take_json_escape(rest_, out) != JsonEscape::whole) return fail();
  }
}

std::string JsonCursor::text() {
  std::string text;
  take_string(&text);
  return ok_ ? text : std::string();
}

bool JsonCursor::take_null() { return take_word("null"); }

std::string JsonCursor::text_or_null() { return take_null() ? std::string() : text(); }

template <class Number>
Number JsonCursor::number() {
  peek();
  Number value{};
  const auto read = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
  if (read.ec != std::errc()) {
    fail();
    return {};
  }
  rest_.remove_prefix(static_cast<std::size_t>(read.ptr - rest_.data()));
  return value;
}

std::int64_t JsonCursor::integer() { return number<std::int64_t>(); }
double JsonCursor::real() { return number<double>(); }

bool JsonCursor::flag() {
  if (take_word("true")) return true;
  if (!take_word("false")) fail();
  return false;
}

std::string JsonCursor::bytes() {
  if (peek() != '{') return text();
  std::string bytes;
  for (enter('{'); more('}');) {
    if (key() != "base64") fail();
    const auto decoded = from_base64(text());
    if (!decoded) fail();
    bytes = decoded.value_or(std::string());
  }
  return bytes;
}

void JsonCursor::skip_scalar() {
  const auto end = std::min(rest_.find_first_of(",]}:[{\" \t\r\n"), rest_.size());
  if (end == 0) return fail();
  rest_.remove_prefix(end);
}

// Not recursive, so that deep nesting in a damaged text does no harm. The content is skipped and
// not checked.
void JsonCursor::skip() {
  std::size_t depth = 0;
  do {
    switch (peek()) {
      case '"': take_string(nullptr); break;
      case '[':
      case '{':
        ++depth;
        rest_.remove_prefix(1);
        break;
      case ']':
      case '}':
        if (depth == 0) return fail();
        --depth;
        rest_.remove_prefix(1);
        break;
      case ',':
      case ':':
        if (depth == 0) return fail();
        rest_.remove_prefix(1);
        break;
      default: skip_scalar();
    }
  } while (ok_ && depth > 0);
}

std::string_view JsonCursor::raw() {
  peek();
  const auto before = rest_;
  skip();
  return ok_ ? before.substr(0, before.size() - rest_.size()) : std::string_view();
}

bool JsonCursor::at_end() { return ok_ && peek() == '\0' && rest_.empty(); }

}  // namespace belay::base
