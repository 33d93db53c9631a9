// The library writes to no stream: lines go to the host's sink, formatted only if wanted.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "belay/options.h"

namespace belay::base {

class Log {
 public:
  Log() = default;
  // Says nothing.
  static const Log& none();
  Log(LogSink sink, void* user, LogLevel level) : sink_(sink), user_(user), level_(level) {}

  // A host's function threw, which costs nothing more than this line.
  void threw(std::string_view whose, const char* what) const noexcept;

  bool wants(LogLevel level) const { return sink_ != nullptr && level >= level_; }

  template <class... Args>
  void debug(fmt::format_string<Args...> format, Args&&... args) const {
    write(LogLevel::debug, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void info(fmt::format_string<Args...> format, Args&&... args) const {
    write(LogLevel::info, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void warning(fmt::format_string<Args...> format, Args&&... args) const {
    write(LogLevel::warning, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void error(fmt::format_string<Args...> format, Args&&... args) const {
    write(LogLevel::error, format, std::forward<Args>(args)...);
  }

 private:
  template <class... Args>
  void write(LogLevel level, fmt::format_string<Args...> format, Args&&... args) const {
    if (!wants(level)) return;
    emit(level, fmt::format(format, std::forward<Args>(args)...));
  }
  // A line is one line, whatever a service answered that stands in it.
  void emit(LogLevel level, std::string line) const noexcept;

  LogSink sink_ = nullptr;
  void* user_ = nullptr;
  LogLevel level_ = LogLevel::info;
};

}  // namespace belay::base
