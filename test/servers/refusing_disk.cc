#include "servers/refusing_disk.h"

#include <sqlite3.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <mutex>
#include <stdexcept>
#include <string_view>

namespace belay::test {
namespace {

constexpr const char* kCalls[] = {"pwrite", "pwrite64", "write"};

std::mutex mutex;
std::string full_path;  // a prefix; empty: none
std::atomic<int> refusals{0};

bool refuses(int file) {
  char path[4096];
  const auto link = "/proc/self/fd/" + std::to_string(file);
  const auto size = ::readlink(link.c_str(), path, sizeof path);
  if (size <= 0) return false;
  const std::string_view name(path, static_cast<std::size_t>(size));
  const std::lock_guard lock(mutex);
  if (full_path.empty() || name.substr(0, full_path.size()) != full_path) return false;
  ++refusals;
  errno = ENOSPC;
  return true;
}

ssize_t write_at(int file, const void* bytes, std::size_t size, off_t offset) {
  return refuses(file) ? -1 : ::pwrite(file, bytes, size, offset);
}

ssize_t write_on(int file, const void* bytes, std::size_t size) {
  return refuses(file) ? -1 : ::write(file, bytes, size);
}

void stand_before_writes() {
  auto* vfs = sqlite3_vfs_find("unix");
  if (vfs == nullptr) throw std::runtime_error("SQLite has no unix files here");
  for (const auto* name : kCalls) {
    if (vfs->xGetSystemCall(vfs, name) == nullptr) continue;
    const bool has_offset = std::string_view(name) != "write";
    const auto call = has_offset ? reinterpret_cast<sqlite3_syscall_ptr>(&write_at)
                                 : reinterpret_cast<sqlite3_syscall_ptr>(&write_on);
    vfs->xSetSystemCall(vfs, name, call);
  }
}

}  // namespace

RefusingDisk::RefusingDisk(const std::string& state_file) {
  static std::once_flag once;
  std::call_once(once, stand_before_writes);
  refusals = 0;
  const std::lock_guard lock(mutex);
  full_path = state_file;
}

RefusingDisk::~RefusingDisk() { mend(); }

void RefusingDisk::mend() {
  const std::lock_guard lock(mutex);
  full_path.clear();
}

int RefusingDisk::refused() const { return refusals; }

}  // namespace belay::test
