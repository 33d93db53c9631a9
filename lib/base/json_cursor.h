// Reads JSON in one pass, by asking for what should come next: a row's columns, an answer. If the
// text does not match the request, the cursor fails, and from then on every result is empty; the
// caller checks `ok` at the end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace belay::base {

class JsonCursor {
 public:
  explicit JsonCursor(std::string_view text) : rest_(text) {}

  // for (in.enter('['); in.more(']');) reads the values of an array. For an object, each iteration
  // reads a key and its value.
  void enter(char open);
  bool more(char close);
  std::string key();  // reads the colon after it, too

  std::string text();
  std::string text_or_null();  // null: empty
  bool take_null();            // true: it was null
  std::int64_t integer();
  double real();
  bool flag();  // true or false
  // A string, or the bytes of {"base64": …}.
  std::string bytes();
  // Skips any value.
  void skip();
  // Skips any value and returns its text.
  std::string_view raw();

  bool ok() const { return ok_; }
  // True if everything was read and nothing follows.
  bool at_end();

 private:
  char peek();
  bool take(char wanted);
  bool take_word(std::string_view word);
  void take_string(std::string* out);
  template <class Number>
  Number number();
  void skip_scalar();
  void fail();

  std::string_view rest_;
  bool ok_ = true;
  bool first_ = false;  // true right after an array or object was entered
};

}  // namespace belay::base
