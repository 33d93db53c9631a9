#include "machine.h"

#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <system_error>
#include <thread>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "belay/version.h"

namespace belay::bench {
namespace {

// The rest of the first line of `path` that starts with `key`, without the separator; empty if
// there is none.
std::string line_value(const char* path, std::string_view key) {
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(key)) continue;
    const auto at = line.find_first_not_of(" \t:", key.size());
    return at == std::string::npos ? std::string{} : line.substr(at);
  }
  return {};
}

std::uint64_t number_value(const char* path, std::string_view key) {
  std::istringstream in(line_value(path, key));
  std::uint64_t number = 0;
  in >> number;
  return number;
}

// The type of the mount with the longest path that contains `directory`.
std::string filesystem_of(const std::string& directory) {
  std::error_code failed;
  const std::string path = std::filesystem::canonical(directory, failed).string() + "/";
  std::ifstream mounts("/proc/self/mounts");
  std::string best_at, best_type;
  for (std::string device, at, type, rest;
       mounts >> device >> at >> type && std::getline(mounts, rest);) {
    const std::string prefix = at.ends_with('/') ? at : at + "/";
    if (path.starts_with(prefix) && prefix.size() >= best_at.size()) {
      best_at = prefix;
      best_type = type;
    }
  }
  return best_type;
}

}  // namespace

std::uint64_t now_ns() noexcept {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

double cpu_seconds() noexcept {
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double cpu_seconds_of(int pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(in, line);
  const auto name_end = line.rfind(") ");
  if (name_end == std::string::npos) return 0;
  std::istringstream fields(line.substr(name_end + 2));
  constexpr int kBeforeTimes = 11;  // counted from the field of the state
  std::string skipped;
  for (int i = 0; i < kBeforeTimes; ++i) fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

std::uint64_t rss_bytes() { return number_value("/proc/self/status", "VmRSS") * 1024; }

std::uint64_t rss_bytes_of(int pid) {
  const auto path = "/proc/" + std::to_string(pid) + "/status";
  return number_value(path.c_str(), "VmRSS") * 1024;
}

std::uint64_t heap_bytes() {
#if defined(__GLIBC__)
  const auto info = mallinfo2();
  const auto used =
      static_cast<std::uint64_t>(info.uordblks) + static_cast<std::uint64_t>(info.hblkhd);
  const auto sqlite = static_cast<std::uint64_t>(sqlite3_memory_used());
  return used > sqlite ? used - sqlite : 0;
#else
  return 0;
#endif
}

void trim_heap() {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

std::uint64_t storage_bytes_written() { return number_value("/proc/self/io", "write_bytes"); }

std::uint64_t file_bytes(const std::string& path) {
  std::error_code failed;
  const auto size = std::filesystem::file_size(path, failed);
  return failed ? 0 : static_cast<std::uint64_t>(size);
}

Machine describe_machine(const std::string& directory) {
  Machine machine;
  machine.cpu = line_value("/proc/cpuinfo", "model name");
  machine.cores = std::thread::hardware_concurrency();
  machine.memory_bytes = number_value("/proc/meminfo", "MemTotal") * 1024;
  if (utsname name{}; uname(&name) == 0)
    machine.system = std::string(name.sysname) + " " + name.release;
  machine.filesystem = filesystem_of(directory);
#if defined(__clang__)
  machine.compiler = "clang " __clang_version__;
#else
  machine.compiler = "g++ " __VERSION__;
#endif
#if defined(__OPTIMIZE__)
  machine.optimised = true;
#endif
  machine.sqlite = sqlite3_libversion();
  machine.belay = std::string(version());
  return machine;
}

}  // namespace belay::bench
