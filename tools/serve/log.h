// The server's log: one line for each event on stderr, as text or as a JSON object. Whatever bytes
// a client or a service sends, they make no line and no field but their own. The server never waits
// for the reader of the log.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <utility>

#include "belay/options.h"
#include "serve/log_queue.h"

namespace belay::tool {

enum class LogFormat : std::uint8_t { text, json };

// Thread-safe. A line that cannot be written is lost; a separate line reports how many lines were
// lost because the reader was too slow, see LogQueue.
class ServeLog {
 public:
  ServeLog(LogFormat format, LogLevel level, int fd = 2);
  ~ServeLog() { flush(kLastLines); }

  using Field = std::pair<std::string_view, std::string_view>;
  void write(LogLevel level, std::string_view message, std::initializer_list<Field> fields = {}) {
    add(level, message, {fields.begin(), fields.size()});
  }
  void info(std::string_view message, std::span<const Field> fields) {
    add(LogLevel::info, message, fields);
  }
  void info(std::string_view message, std::initializer_list<Field> fields = {}) {
    write(LogLevel::info, message, fields);
  }
  void warning(std::string_view message, std::initializer_list<Field> fields = {}) {
    write(LogLevel::warning, message, fields);
  }
  void error(std::string_view message, std::initializer_list<Field> fields = {}) {
    write(LogLevel::error, message, fields);
  }
  // See Options::log; `user` is the ServeLog object.
  static void sink(const LogLine& line, void* user);

  // Waits until everything is written, at most `limit`. False: something is not written yet.
  bool flush(Millis limit) { return queue_.flush(limit); }
  // Total of the lines that were lost because the reader was too slow.
  std::uint64_t dropped() const { return queue_.dropped(); }

  // How long writing the last lines may take at the end.
  static constexpr Millis kLastLines{500};

 private:
  void add(LogLevel level, std::string_view message, std::span<const Field> fields);

  const LogFormat format_;
  const LogLevel level_;
  LogQueue queue_;
};

}  // namespace belay::tool
