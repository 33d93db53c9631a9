// Comma-separated text, a row a line: quotes, CRLF, a byte-order mark, empty lines and # comments.
// A field holds no line break, so that one forgotten quote costs one row and not the rest of the
// file.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace belay::demo {

struct CsvRow {
  std::size_t line = 0;  // from 1
  std::vector<std::string> fields;
  std::string problem;  // why it cannot be read; empty if it can
};

class CsvReader {
 public:
  // `text` must live as long as the reader.
  explicit CsvReader(std::string_view text);
  // The next row that is neither empty nor a comment.
  std::optional<CsvRow> next();

 private:
  std::string_view rest_;
  std::size_t line_ = 0;
};

bool is_utf8(std::string_view text);

}  // namespace belay::demo
