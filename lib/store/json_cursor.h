// Reads the JSON of a row's columns, which `json::put_…` wrote, in one walk. At the first thing
// that is not what was asked for it fails, and all it says from then on is empty: whoever reads
// asks `ok` at the end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace belay::store::json {

class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  // for (in.enter('['); in.more(']');) reads an array's values; of an object each turn is a key and
  // its value.
  void enter(char open);
  bool more(char close);
  std::string key();  // with its colon

  std::string text();
  std::string text_or_null();  // null: empty
  std::int64_t integer();
  // A string, or the bytes of {"base64": …}.
  std::string bytes();
  // Any value.
  void skip();

  bool ok() const { return ok_; }
  // All was read, and nothing is behind it.
  bool at_end();

 private:
  char peek();
  bool take(char wanted);
  bool take_word(std::string_view word);
  void take_string(std::string* out);
  void skip_scalar();
  void fail();

  std::string_view rest_;
  bool ok_ = true;
  bool first_ = false;  // the innermost array or object was just entered
};

}  // namespace belay::store::json
