// The state file itself, open and locked for as long as a journal lives. The lock is the file's,
// not a name's: no other name, and no lock file that somebody removed, lets a second engine in.
//
// Whoever closes any descriptor of a file drops the POSIX locks that his process has on it, and
// SQLite's are such. So this one is opened before SQLite opens the file, and closed after. And
// since the host may do the same at any time, locks of the open file, which nobody else can drop,
// stand beside SQLite's: without them a passing program took itself for the last one to use the
// file, and removed the write-ahead log.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>

#include "belay/result.h"

namespace belay::store {

// Which file a name stands for.
struct FileId {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FileId&) const = default;
};
// Nothing: there is no such file.
std::optional<FileId> file_id(const std::string& path);

class HeldFile {
 public:
  HeldFile() = default;
  HeldFile(HeldFile&& other) noexcept { swap(other); }
  HeldFile& operator=(HeldFile&& other) noexcept {
    swap(other);
    return *this;
  }
  ~HeldFile() { release(); }

  // Creates the file if there is none. `canonical`: see `canonical_path`. Errors: locked, misplaced
  // (the file has another name, or is mounted by itself; says what to do instead), storage.
  static Result<HeldFile> open(const std::string& canonical);
  void release();
  explicit operator bool() const { return descriptor_ >= 0; }

  // While SQLite has the file open with its write-ahead log, and this thread has a write
  // transaction: remembers what lies beside the file, and keeps others from taking it away. Errors:
  // storage (somebody did already).
  Result<> guard();
  // Before SQLite's last connection of the journal closes, so that it may take it away.
  void unguard();

  // Is the file at its path; and, while guarded, is what lies beside it? Errors: storage.
  Result<> check_path() const;
  Result<> check_all() const;
  // Another file, or none, is where the write-ahead log should be.
  bool lost_wal() const;
  // Another file is at the path.
  bool replaced() const;
  // It is somewhere: at the path, or where somebody moved it.
  bool has_name() const;

 private:
  void swap(HeldFile& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(shm_, other.shm_);
    std::swap(owner_, other.owner_);
    std::swap(path_, other.path_);
    std::swap(id_, other.id_);
    std::swap(wal_id_, other.wal_id_);
    std::swap(shm_id_, other.shm_id_);
  }
  Result<> open_shm();
  void close_shm();

  int descriptor_ = -1;
  int shm_ = -1;     // SQLite's shared memory
  pid_t owner_ = 0;  // a forked child must not give up its parent's locks
  std::string path_;
  FileId id_;
  std::optional<FileId> wal_id_;  // while guarded
  std::optional<FileId> shm_id_;
};

}  // namespace belay::store
