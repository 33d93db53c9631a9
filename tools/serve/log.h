// The server's log: one line an event on stderr, as text or as a JSON object.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "belay/options.h"

namespace belay::tool {

enum class LogFormat : std::uint8_t { text, json };

// Thread-safe. A line that cannot be written is lost.
class ServeLog {
 public:
  ServeLog(LogFormat format, LogLevel level) : format_(format), level_(level) {}

  using Field = std::pair<std::string_view, std::string_view>;
  void write(LogLevel level, std::string_view message, std::initializer_list<Field> fields = {});
  void info(std::string_view message, std::initializer_list<Field> fields = {}) {
    write(LogLevel::info, message, fields);
  }
  void warning(std::string_view message, std::initializer_list<Field> fields = {}) {
    write(LogLevel::warning, message, fields);
  }
  void error(std::string_view message, std::initializer_list<Field> fields = {}) {
    write(LogLevel::error, message, fields);
  }
  // As Options::log; `user` is the ServeLog.
  static void sink(LogLevel level, std::string_view line, void* user);

 private:
  const LogFormat format_;
  const LogLevel level_;
};

}  // namespace belay::tool
