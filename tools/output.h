// The output of the command line: a buffered stream that notices a closed pipe, colours for
// terminals only, and JSON lines.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "belay/types.h"
#include "view/text.h"

namespace belay::tool {

enum class Style : std::uint8_t { plain, bold, dim, good, warn, bad };

// Not thread-safe. Nothing is written before `flush` or before 64 KiB are collected; after a failed
// write all further output is dropped.
class Out {
 public:
  explicit Out(int fd);
  Out(const Out&) = delete;
  Out& operator=(const Out&) = delete;
  ~Out() { flush(); }

  void write(std::string_view bytes);
  template <class... Args>
  void print(fmt::format_string<Args...> format, Args&&... args) {
    write(fmt::format(format, std::forward<Args>(args)...));
  }
  // Writes one object as one line. Bytes that are not UTF-8 become U+FFFD.
  void json(const nlohmann::ordered_json& object);
  bool flush();

  bool terminal() const { return terminal_; }
  bool coloured() const { return coloured_; }  // a terminal, and neither NO_COLOR nor TERM=dumb
  // The present width of the terminal; a very large number if the output is no terminal.
  std::size_t columns() const;
  bool ok() const { return error_ == 0; }
  // The errno of the write that failed; EPIPE if the reader has closed the pipe.
  int error() const { return error_; }

  // `text` with the escape sequences of `style`, or unchanged if this output has no colours.
  std::string styled(std::string_view text, Style style) const;

 private:
  std::string buffer_;
  int fd_;
  int error_ = 0;
  bool terminal_;
  bool coloured_;
};

// A progress bar on one line of a terminal; other outputs show nothing.
class Progress {
 public:
  Progress(Out& out, std::string label) : out_(out), label_(std::move(label)) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { clear(); }
  // `note` is shown behind the bar. Frequent calls are cheap: only changes are drawn.
  void show(unsigned percent, std::string_view note = {});
  void clear();

 private:
  Out& out_;
  std::string label_;
  std::string shown_;
};

Style style_of(Status status);

}  // namespace belay::tool
