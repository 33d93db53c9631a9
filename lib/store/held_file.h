// The state file itself, open and locked for as long as a journal lives. The lock belongs to the
// file and not to a name: a second engine cannot get in through another name, or after somebody has
// removed the lock file.
//
// When a process closes any descriptor of a file, it loses all POSIX locks that it has on that
// file; SQLite's locks are POSIX locks. So this descriptor is opened before SQLite opens the file,
// and closed after SQLite has closed it. The host may close such a descriptor at any time as well.
// So there are also locks of the open file description, which no other code can drop. Without them
// another program could take itself for the last user of the file and remove the write-ahead log.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "belay/result.h"

namespace belay::store {

// Identifies the file that a path leads to.
struct FileId {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FileId&) const = default;
};
// Empty: there is no such file.
std::optional<FileId> file_id(const std::string& path);

// Checks that a file has one name and is not mounted by itself: otherwise a writer by another name
// would write into a write-ahead log that its engine does not know. Errors: misplaced, storage.
Result<> check_place(const std::string& canonical);

class HeldFile {
 public:
  HeldFile() = default;
  HeldFile(HeldFile&& other) noexcept { swap(other); }
  HeldFile& operator=(HeldFile&& other) noexcept {
    swap(other);
    return *this;
  }
  ~HeldFile() { release(); }

  // Creates the file if it does not exist. `canonical`: see `canonical_path`. Errors: locked;
  // misplaced (the file has another name, or is mounted on its own; the detail says what to do
  // instead); storage.
  // `mode`: the permissions of a new file.
  static Result<HeldFile> open(const std::string& canonical, std::uint32_t mode);
  std::uint32_t mode() const { return mode_; }  // the permissions at the open; 0: no file
  void release();
  explicit operator bool() const { return descriptor_ >= 0; }

  // To be called while SQLite has the file open with its write-ahead log, and this thread has a
  // write transaction: remembers the files beside the state file, and keeps others from removing
  // them. Errors: storage (one of them was removed already).
  Result<> guard();
  // To be called before the journal's last SQLite connection closes, so that SQLite may remove the
  // files beside the state file.
  void unguard();

  // Checks that the file is at its path; `check_all` also checks, while guarded, the files beside
  // it. Errors: storage.
  Result<> check_path() const;
  Result<> check_all() const;
  // Writes pages that the system has in memory to the disk, a small piece at a time: a commit that
  // is synced meanwhile waits for one piece, and the sync that comes next has little left to write.
  // This proves nothing about what is on the disk. It ends early once `hurry` is set. From any
  // thread. Errors: storage, no_space.
  Result<> write_out(const std::atomic<bool>& hurry) const;
  // True if another file, or none, is at the path of the write-ahead log.
  bool lost_wal() const;
  // True if another file is at the path.
  bool replaced() const;
  // True if the file still has a name: its path, or a path to which somebody moved it.
  bool has_name() const;

 private:
  void swap(HeldFile& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(shm_, other.shm_);
    std::swap(owner_, other.owner_);
    std::swap(path_, other.path_);
    std::swap(mode_, other.mode_);
    std::swap(id_, other.id_);
    std::swap(wal_id_, other.wal_id_);
    std::swap(shm_id_, other.shm_id_);
  }
  Result<> open_shm();
  void close_shm();

  int descriptor_ = -1;
  int shm_ = -1;     // SQLite's shared memory
  pid_t owner_ = 0;  // a forked child must not release its parent's locks
  std::string path_;
  std::uint32_t mode_ = 0;
  FileId id_;
  std::optional<FileId> wal_id_;  // while guarded
  std::optional<FileId> shm_id_;
};

}  // namespace belay::store
