// What the two halves of CrashVfs share: the disk's model (crash_vfs.cc) and SQLite's callbacks
// (crash_vfs_methods.cc).
#pragma once

#include <sqlite3.h>

#include <array>

#include "support/crash_vfs.h"

namespace belay::test {

struct DiskChange {
  bool truncates = false;
  std::uint64_t at = 0;
  std::string bytes;
};

using SharedMemory = std::vector<std::unique_ptr<char[]>>;

struct CrashVfs::Inode {
  struct ShmLock {
    Handle* owner = nullptr;
    unsigned shared = 0;
  };

  std::string visible;
  std::string durable;
  std::vector<DiskChange> pending;  // from durable to visible, in order
  bool scratch = false;             // a temporary file: no fault, no count

  // Of the processes, not of the disk.
  unsigned shared = 0;
  Handle* reserved = nullptr;
  Handle* waits_for_readers = nullptr;
  Handle* exclusive = nullptr;
  std::shared_ptr<SharedMemory> shm;
  unsigned shm_users = 0;
  std::array<ShmLock, SQLITE_SHM_NLOCK> shm_locks{};

  void forget_process();
};

struct CrashVfs::Handle {
  CrashVfs* vfs = nullptr;
  std::shared_ptr<Inode> inode;
  std::string path;
  std::uint64_t generation = 0;
  int lock = SQLITE_LOCK_NONE;
  std::shared_ptr<SharedMemory> shm;  // a dead process may still look into it while it closes
  unsigned shm_shared = 0;            // a bit a lock
  bool read_only = false;
  bool is_journal = false;
  bool delete_on_close = false;

  bool dead() const { return generation != vfs->generation_ || (vfs->cut_ && !inode->scratch); }
};

// The callbacks of sqlite3_vfs and sqlite3_io_methods. C calls them: none may throw.
struct CrashVfs::Methods {
  static void install(sqlite3_vfs& vfs);
  static const sqlite3_io_methods& io();

  static int open(sqlite3_vfs*, const char* path, sqlite3_file*, int flags,
                  int* out_flags) noexcept;
  static int remove(sqlite3_vfs*, const char* path, int sync_directory) noexcept;
  static int access(sqlite3_vfs*, const char* path, int flags, int* result) noexcept;
  static int full_path(sqlite3_vfs*, const char* path, int bytes, char* out) noexcept;
  static int randomness(sqlite3_vfs*, int bytes, char* out) noexcept;
  static int sleep(sqlite3_vfs*, int microseconds) noexcept;
  static int time(sqlite3_vfs*, double* days) noexcept;
  static int time_ms(sqlite3_vfs*, sqlite3_int64* ms) noexcept;
  static int last_error(sqlite3_vfs*, int, char*) noexcept;

  static int close(sqlite3_file*) noexcept;
  static int read(sqlite3_file*, void* out, int bytes, sqlite3_int64 at) noexcept;
  static int write(sqlite3_file*, const void* in, int bytes, sqlite3_int64 at) noexcept;
  static int truncate(sqlite3_file*, sqlite3_int64 size) noexcept;
  static int sync(sqlite3_file*, int flags) noexcept;
  static int size(sqlite3_file*, sqlite3_int64* out) noexcept;
  static int lock(sqlite3_file*, int level) noexcept;
  static int unlock(sqlite3_file*, int level) noexcept;
  static int is_reserved(sqlite3_file*, int* out) noexcept;
  static int control(sqlite3_file*, int op, void*) noexcept;
  static int sector_size(sqlite3_file*) noexcept;
  static int characteristics(sqlite3_file*) noexcept;
  static int shm_map(sqlite3_file*, int region, int bytes, int extend,
                     void volatile** out) noexcept;
  static int shm_lock(sqlite3_file*, int offset, int count, int flags) noexcept;
  static void shm_barrier(sqlite3_file*) noexcept;
  static int shm_unmap(sqlite3_file*, int remove) noexcept;
};

}  // namespace belay::test
