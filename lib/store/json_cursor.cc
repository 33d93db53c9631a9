#include "store/json_cursor.h"

#include <algorithm>
#include <charconv>

#include "store/json.h"

namespace belay::store::json {
namespace {

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::uint32_t kSurrogates = 0xd800;
constexpr std::uint32_t kLowSurrogates = 0xdc00;
constexpr std::uint32_t kSurrogatesEnd = 0xe000;

void put_utf8(std::string& out, std::uint32_t point) {
  const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  const auto put_rest = [&put, point](int shift) { put(0x80 | (point >> shift & 0x3f)); };
  if (point < 0x80) return put(point);
  if (point < 0x800) {
    put(0xc0 | point >> 6);
    return put_rest(0);
  }
  if (point < 0x10000) {
    put(0xe0 | point >> 12);
  } else {
    put(0xf0 | point >> 18);
    put_rest(12);
  }
  put_rest(6);
  put_rest(0);
}

}  // namespace

void Cursor::fail() {
  ok_ = false;
  rest_ = {};
}

char Cursor::peek() {
  rest_.remove_prefix(std::min(rest_.find_first_not_of(kSpace), rest_.size()));
  return rest_.empty() ? '\0' : rest_.front();
}

bool Cursor::take(char wanted) {
  if (peek() != wanted || rest_.empty()) return false;
  rest_.remove_prefix(1);
  return true;
}

bool Cursor::take_word(std::string_view word) {
  peek();
  if (!rest_.starts_with(word)) return false;
  rest_.remove_prefix(word.size());
  return true;
}

void Cursor::enter(char open) {
  if (!take(open)) fail();
  first_ = true;
}

bool Cursor::more(char close) {
  if (!ok_) return false;
  const bool first = first_;
  first_ = false;
  if (take(close)) return false;
  if (!first && !take(',')) fail();
  return ok_;
}

std::string Cursor::key() {
  auto name = text();
  if (!take(':')) fail();
  return name;
}

std::uint32_t Cursor::take_hex() {
  std::uint32_t value = 0;
  const auto* begin = rest_.data();
  const auto* end = begin + std::min<std::size_t>(rest_.size(), 4);
  const auto read = std::from_chars(begin, end, value, 16);
  if (read.ec != std::errc() || read.ptr != begin + 4) {
    fail();
    return 0;
  }
  rest_.remove_prefix(4);
  return value;
}

// The text after the backslash.
void Cursor::take_escape(std::string* out) {
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  if (rest_.empty()) return fail();
  const char letter = rest_.front();
  rest_.remove_prefix(1);
  if (const auto known = kLetters.find(letter); known != std::string_view::npos) {
    if (out != nullptr) out->push_back(kMeanings[known]);
    return;
  }
  if (letter != 'u') return fail();
  auto point = take_hex();
  if (point >= kSurrogates && point < kSurrogatesEnd) {
    if (point >= kLowSurrogates || !rest_.starts_with("\\u")) return fail();
    rest_.remove_prefix(2);
    const auto low = take_hex();
    if (low < kLowSurrogates || low >= kSurrogatesEnd) return fail();
    point = 0x10000 + ((point - kSurrogates) << 10) + (low - kLowSurrogates);
  }
  if (out != nullptr) put_utf8(*out, point);
}

// `out` null: the string is only skipped.
void Cursor::take_string(std::string* out) {
  if (!take('"')) return fail();
  while (ok_) {
    const auto plain = rest_.find_first_of("\"\\");
    if (plain == std::string_view::npos) return fail();
    if (out != nullptr) out->append(rest_.substr(0, plain));
    const bool ends = rest_[plain] == '"';
    rest_.remove_prefix(plain + 1);
    if (ends) return;
    take_escape(out);
  }
}

std::string Cursor::text() {
  std::string text;
  take_string(&text);
  return ok_ ? text : std::string();
}

std::string Cursor::text_or_null() { return take_word("null") ? std::string() : text(); }

std::int64_t Cursor::integer() {
  peek();
  std::int64_t value = 0;
  const auto read = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
  if (read.ec != std::errc()) {
    fail();
    return 0;
  }
  rest_.remove_prefix(static_cast<std::size_t>(read.ptr - rest_.data()));
  return value;
}

std::string Cursor::bytes() {
  if (peek() != '{') return text();
  std::string bytes;
  for (enter('{'); more('}');) {
    if (key() != "base64") fail();
    bytes = from_base64(text());
  }
  return bytes;
}

void Cursor::skip_scalar() {
  const auto end = std::min(rest_.find_first_of(",]}:[{\" \t\r\n"), rest_.size());
  if (end == 0) return fail();
  rest_.remove_prefix(end);
}

// Not recursive, so that deep nesting in a damaged text does no harm. The content is skipped and
// not checked.
void Cursor::skip() {
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

bool Cursor::at_end() { return ok_ && peek() == '\0' && rest_.empty(); }

}  // namespace belay::store::json
