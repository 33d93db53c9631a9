// Facts about the machine: time, CPU time, memory, sizes on disk, and a description. On Linux these
// are Linux's values; on other systems they are empty.
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
double cpu_seconds_of(int pid);  // the same for another process; 0 if unknown
// The resident memory now; 0 if unknown.
std::uint64_t rss_bytes();
std::uint64_t rss_bytes_of(int pid);
// The heap memory that the program holds, in the arenas of all threads, without SQLite's part (its
// page caches are limited and do not belong to a transaction); 0 if unknown.
std::uint64_t heap_bytes();
// Returns unused heap memory to the system, so that `rss_bytes` is the memory in use.
void trim_heap();
// The bytes that this process has written to storage; 0 if unknown.
std::uint64_t storage_bytes_written();
// 0 if there is no such file.
std::uint64_t file_bytes(const std::string& path);

struct Machine {
  std::string cpu;
  unsigned cores = 0;
  std::uint64_t memory_bytes = 0;
  std::string system;      // kernel and release
  std::string filesystem;  // the type for the run's directory
  std::string compiler;
  bool optimised = false;
  std::string sqlite;
  std::string belay;
};
Machine describe_machine(const std::string& directory);

}  // namespace belay::bench
