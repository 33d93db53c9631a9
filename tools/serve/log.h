// The server's log: one line an event on stderr, as text or as a JSON object. Nobody waits for
// whoever reads it.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "belay/options.h"
#include "serve/log_queue.h"

namespace belay::tool {

enum class LogFormat : std::uint8_t { text, json };

// Thread-safe. A line that cannot be written is lost; how many were not read in time is a line of
// its own, see LogQueue.
class ServeLog {
 public:
  ServeLog(LogFormat format, LogLevel level, int fd = 2);
  ~ServeLog() { flush(kLastLines); }

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

  // Waits until all is written, so long at most. False: it is not.
  bool flush(Millis limit) { return queue_.flush(limit); }
  // Lines lost since nobody read them in time. Total.
  std::uint64_t dropped() const { return queue_.dropped(); }

  // How long the last lines may take at the end.
  static constexpr Millis kLastLines{500};

 private:
  const LogFormat format_;
  const LogLevel level_;
  LogQueue queue_;
};

}  // namespace belay::tool
