// Who holds a state file, as a name for people in a file beside it: `HeldFile` has the lock that
// counts. This one is asked about by those who must not open the state file for it, and it is what
// engines of before locked. The system drops it with its process, however that ends.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "belay/result.h"

namespace belay::store {

// The state file's one true path: absolute, symbolic links followed, whether the file exists or
// not. Errors: storage (its folder does not exist).
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

  // `canonical` is the state file's. Errors: locked (names the holder), misplaced (the lock file is
  // a symbolic link), storage.
  static Result<LockFile> take(const std::string& canonical);
  // Who holds it, for people; `since` is when.
  void name_holder(std::string_view since) const;
  // The lock file stays, empty: to remove it would let two holders hold two files of one name.
  void release();

 private:
  int descriptor_ = -1;
  std::string path_;
};

// Who holds the lock of a state file, "pid 4711 on host since 2025-01-31T12:00:00Z"; empty if
// nobody. Takes nothing.
std::string lock_holder(const std::string& canonical);

}  // namespace belay::store
