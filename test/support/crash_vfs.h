// A disk that fails on command: an SQLite VFS in memory that knows what was synced and what was
// not.
//
// Of each file it keeps what the process sees, what is durable, and the changes between the two. At
// a power cut every change that was not synced is kept, lost or torn by sector, as the seed says;
// all I/O fails until the power is back, and handles from before stay dead for good. Creations and
// deletions of files are such changes as well. SQLite's randomness, time and sleep come from here
// too, so that a seed is a whole history. One thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/random.h"

struct sqlite3_vfs;

namespace belay::test {

enum class Fault : std::uint8_t {
  disk_full,       // SQLITE_FULL at a write, of which a part may have been done
  write_error,     // SQLITE_IOERR_WRITE, the same
  sync_error,      // SQLITE_IOERR_FSYNC; see DiskOptions::failed_sync
  read_only,       // SQLITE_READONLY at every change; files open for reading only
  open_error,      // SQLITE_CANTOPEN
  truncate_error,  // SQLITE_IOERR_TRUNCATE
  read_error,      // SQLITE_IOERR_READ
};
inline constexpr int kFaults = 7;
const char* name_of(Fault fault);

// What a failed sync leaves of the changes it was to make durable.
enum class FailedSync : std::uint8_t {
  keeps,    // all still to be synced
  forgets,  // some will never reach the disk, though the process still reads them (as Linux with
            // ext4)
  reverts,  // some are gone, and the process reads the old bytes
  seeded,   // one of these each time
};

struct DiskOptions {
  std::uint32_t sector_bytes = 0;  // unit of tearing; 0: 512 or 4096, as the seed says
  bool lying_sync = false;         // sync says done and does nothing: a control that must fail
  FailedSync failed_sync = FailedSync::seeded;
};

class CrashVfs {
 public:
  // Registers itself, as SQLite's default too, and starts SQLite's random numbers anew.
  explicit CrashVfs(std::uint64_t seed, const DiskOptions& options = {});
  ~CrashVfs();
  CrashVfs(const CrashVfs&) = delete;
  CrashVfs& operator=(const CrashVfs&) = delete;

  const std::string& name() const { return name_; }
  // The wall clock SQLite sees; fixed unless set.
  void set_clock(std::function<std::uint64_t()> wall_ms) { wall_ms_ = std::move(wall_ms); }

  // Power. A change is a write, truncation, sync, creation or deletion.
  void cut_at(std::uint64_t nth_change);  // from now, 1: the next one; 0: never
  void cut();
  bool was_cut() const { return cut_; }
  void power_on();
  // The process dies, the system lives on: what was written stays, synced or not.
  void kill();

  // From the nth operation that the fault concerns (1: the next), `times` of them fail; 0: all,
  // until `heal`.
  void fail(Fault fault, std::uint64_t nth, std::uint64_t times);
  void heal() { faults_.clear(); }
  bool faulty() const;

  std::uint64_t changes() const { return changes_; }
  std::uint64_t syncs() const { return syncs_; }
  std::uint64_t faults_hit() const { return faults_hit_; }
  // Of every change so far: kind, place, size.
  std::uint64_t digest() const { return digest_; }
  // What a process sees of a file; empty if there is none.
  std::string contents(const std::string& path) const;
  void put(const std::string& path, std::string contents);

 private:
  struct Inode;
  struct Handle;
  struct Methods;
  struct ActiveFault {
    Fault fault;
    std::uint64_t skip;
    std::uint64_t times;  // 0: until healed
  };
  enum class Kind : std::uint8_t { open, create, read, write, truncate, sync, remove };
  using Directory = std::map<std::string, std::shared_ptr<Inode>, std::less<>>;

  int failure_of(Kind kind);
  bool change(Kind kind, std::uint64_t place, std::uint64_t size);
  void survive_cut(Inode& inode);
  void forget_unsynced(Inode& inode);
  void sync(Inode& inode, const std::string& path);
  void begin_generation();

  std::string name_;
  Random random_;
  DiskOptions options_;
  std::unique_ptr<sqlite3_vfs> vfs_;
  sqlite3_vfs* previous_default_ = nullptr;
  std::function<std::uint64_t()> wall_ms_;
  Directory visible_;
  Directory durable_;
  std::vector<ActiveFault> faults_;
  std::uint64_t generation_ = 1;  // handles of an earlier one are dead
  std::uint64_t changes_ = 0;
  std::uint64_t syncs_ = 0;
  std::uint64_t cut_at_ = 0;
  std::uint64_t faults_hit_ = 0;
  std::uint64_t digest_ = 0;
  bool cut_ = false;
};

}  // namespace belay::test
