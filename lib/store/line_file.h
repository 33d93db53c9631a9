// A regular file that is read line by line, each line of a limited size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "belay/result.h"

namespace belay::store {

class LineFile {
 public:
  // Errors: not_found, invalid_argument (it is no regular file), storage.
  static Result<LineFile> open(const std::string& path, std::size_t line_bytes_max);
  LineFile(LineFile&& other) noexcept;
  LineFile& operator=(LineFile&&) = delete;
  ~LineFile();

  // The next line with its newline, valid until the next call; nothing at the end of the file.
  // Errors: invalid_argument (the line is too long, or the file ends without a newline), storage.
  Result<std::optional<std::string_view>> next();
  std::uint64_t line() const { return line_; }  // of the line that was read last, from 1
  // The part of the file that was read, 0 to 100.
  unsigned percent() const;

 private:
  LineFile() = default;
  Result<bool> read_more();

  int descriptor_ = -1;
  std::string path_;
  std::size_t line_bytes_max_ = 0;
  std::uint64_t size_ = 0;
  std::uint64_t read_ = 0;
  std::uint64_t line_ = 0;
  std::string buffer_;
  std::size_t begin_ = 0;  // of the next line in `buffer_`
};

}  // namespace belay::store
