// The library writes to no stream: lines go to the host's sink, and are formatted only if the sink
// wants them.
#pragma once

#include <fmt/format.h>

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "belay/options.h"

namespace belay::base {

// The value of a field in a line of text: unchanged, or in quotes (as in JSON) if it could be taken
// for more than a value.
std::string field_text(std::string_view value);

class Log {
 public:
  Log() = default;
  // A log that drops everything.
  static const Log& none();
  Log(LogSink sink, void* user, LogLevel level)
      : sink_(sink), user_(user), level_(std::make_shared<std::atomic<LogLevel>>(level)) {}
  // Of all copies of this log; from any thread.
  void set_level(LogLevel level) const {
    if (level_) level_->store(level, std::memory_order_relaxed);
  }

  // Logs that a host's function threw an exception. That has no other consequence.
  void threw(std::string_view whose, const char* what) const noexcept;

  // Logs the line with this text, whose control characters are replaced: so a line stays one line
  // even if it contains a service's answer. The secrets of URLs are hidden. To be called if the log
  // wants the line's level.
  void write(LogLine line, std::string text) const noexcept;

  bool wants(LogLevel level) const {
    return sink_ != nullptr && level >= level_->load(std::memory_order_relaxed);
  }

  template <class... Args>
  void debug(fmt::format_string<Args...> format, Args&&... args) const {
    write_text(LogLevel::debug, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void info(fmt::format_string<Args...> format, Args&&... args) const {
    write_text(LogLevel::info, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void warning(fmt::format_string<Args...> format, Args&&... args) const {
    write_text(LogLevel::warning, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void error(fmt::format_string<Args...> format, Args&&... args) const {
    write_text(LogLevel::error, format, std::forward<Args>(args)...);
  }

 private:
  template <class... Args>
  void write_text(LogLevel level, fmt::format_string<Args...> format, Args&&... args) const {
    if (wants(level)) write({.level = level}, fmt::format(format, std::forward<Args>(args)...));
  }

  LogSink sink_ = nullptr;
  void* user_ = nullptr;
  std::shared_ptr<std::atomic<LogLevel>> level_;
};

}  // namespace belay::base
