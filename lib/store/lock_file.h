// The file beside a state file that names the holder for people. The lock that protects the state
// file is in `HeldFile`. This lock file serves programs that want to know the holder and must not
// open the state file for that, and older engines, which locked this file. The system releases its
// lock when the process ends in any way.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "belay/result.h"

namespace belay::store {

// The only canonical path of the state file: absolute, with symbolic links resolved, whether the
// file exists or not. Errors: storage (the folder does not exist).
Result<std::string> canonical_path(std::string_view path);

class LockFile {
 public:
  LockFile() = default;
  LockFile(LockFile&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}
  LockFile& operator=(LockFile&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(path_, other.path_);
    return *this;
  }
  ~LockFile() { release(); }

  // `canonical` is the state file's path. Errors: locked (names the holder), misplaced (the lock
  // file is a symbolic link), storage.
  // `mode`: the permissions of a new lock file.
  static Result<LockFile> take(const std::string& canonical, std::uint32_t mode);
  // Writes who holds the lock, for people; `since` is the time.
  void name_holder(std::string_view since) const;
  // The lock file is emptied and stays: if it were removed, two holders could hold two files of the
  // same name.
  void release();

 private:
  int descriptor_ = -1;
  std::string path_;
};

// The holder of a state file's lock, "pid 4711 on host since 2025-01-31T12:00:00Z"; empty if nobody
// holds it. Takes no lock.
std::string lock_holder(const std::string& canonical);

}  // namespace belay::store
