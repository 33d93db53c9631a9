// What the machine says: time, CPU time, memory, sizes on disk, and what it is. Linux's answers
// where it is Linux, empty ones elsewhere.
#pragma once

#include <cstdint>
#include <string>

namespace belay::bench {

// Monotonic.
std::uint64_t now_ns() noexcept;
constexpr std::uint64_t nanoseconds(double seconds) {
  return static_cast<std::uint64_t>(seconds * 1e9);
}
// User and system time of this process and all its threads.
double cpu_seconds() noexcept;
double cpu_seconds_of(int pid);  // of another; 0 where it cannot be told
// Resident memory now; 0 where it cannot be told.
std::uint64_t rss_bytes();
std::uint64_t rss_bytes_of(int pid);
// What the program holds of the heap, all threads' arenas, without SQLite's own share (its page
// caches are bounded and no part of a transaction); 0 where it cannot be told.
std::uint64_t heap_bytes();
// Gives unused heap back to the system, so that `rss_bytes` tells what is used.
void trim_heap();
// What this process had written to storage; 0 where it cannot be told.
std::uint64_t storage_bytes_written();
// 0 if there is no such file.
std::uint64_t file_bytes(const std::string& path);

struct Machine {
  std::string cpu;
  unsigned cores = 0;
  std::uint64_t memory_bytes = 0;
  std::string system;      // kernel and release
  std::string filesystem;  // of the directory of the run
  std::string compiler;
  bool optimised = false;
  std::string sqlite;
  std::string belay;
};
Machine describe_machine(const std::string& directory);

}  // namespace belay::bench
