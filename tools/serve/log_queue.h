// Lines on their way to a file that somebody may have stopped reading: a thread of its own writes
// them, and whoever hands one in never waits.
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
  // What waits to be written, in bytes. Beyond it lines are dropped and counted, until all of it
  // is written; then `lost`, told how many, makes the line that says so.
  static constexpr std::size_t kBytesMax = 1024 * 1024;

  // `fd` stays the caller's and is never made non-blocking: it may be shared with other programs.
  LogQueue(int fd, std::function<std::string(std::uint64_t)> lost);
  LogQueue(const LogQueue&) = delete;
  LogQueue& operator=(const LogQueue&) = delete;
  // Never waits for the file: a thread that still writes is left behind, for the process's end.
  ~LogQueue();

  void add(std::string_view line);
  // Waits until all is written, so long at most. False: it is not.
  bool flush(Millis limit);
  // Total.
  std::uint64_t dropped() const;

 private:
  struct Shared;
  static void write_all(const std::shared_ptr<Shared>& shared);

  // The thread's too, which may outlive this.
  const std::shared_ptr<Shared> shared_;
  std::thread thread_;
};

}  // namespace belay::tool
