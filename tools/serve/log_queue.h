// Log lines that wait to be written to a file whose reader may have stopped: a thread of its own
// writes them, and the caller that adds a line never waits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "belay/types.h"

namespace belay::tool {

// Thread-safe.
class LogQueue {
 public:
  // The maximum bytes that wait to be written. Beyond it lines are dropped and counted, until
  // everything is written; then `lost` gets the count and makes the line that reports it.
  static constexpr std::size_t kBytesMax = 1024 * 1024;

  // The caller keeps and closes `fd`. It is never made non-blocking, because other programs may
  // share it.
  LogQueue(int fd, std::function<std::string(std::uint64_t)> lost);
  LogQueue(const LogQueue&) = delete;
  LogQueue& operator=(const LogQueue&) = delete;
  // Never waits for the file: a thread that is still writing is left running until the process
  // ends.
  ~LogQueue();

  void add(std::string_view line);
  // Waits until everything is written, at most `limit`. False: something is not written yet.
  bool flush(Millis limit);
  // The total of dropped lines.
  std::uint64_t dropped() const;

 private:
  struct Shared;
  static void write_all(const std::shared_ptr<Shared>& shared);

  // Shared with the thread, which may outlive this object.
  const std::shared_ptr<Shared> shared_;
  std::thread thread_;
};

}  // namespace belay::tool
