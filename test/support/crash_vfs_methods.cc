// SQLite's side of CrashVfs: each callback finds its handle, asks the disk whether it may, and does
// it in memory.
#include <algorithm>
#include <cstring>

#include "support/crash_vfs_impl.h"

namespace belay::test {
namespace {

struct File : sqlite3_file {
  void* handle;
};

constexpr int kSectorSize = 4096;
constexpr double kMsPerDay = 86'400'000.0;
constexpr sqlite3_int64 kUnixEpochJulianMs = 210'866'760'000'000;

template <class Handle>
Handle& handle_of(sqlite3_file* file) {
  return *static_cast<Handle*>(static_cast<File*>(file)->handle);
}

}  // namespace

void CrashVfs::Methods::install(sqlite3_vfs& vfs) {
  vfs.iVersion = 2;
  vfs.szOsFile = static_cast<int>(sizeof(File));
  vfs.mxPathname = 512;
  vfs.xOpen = &open;
  vfs.xDelete = &remove;
  vfs.xAccess = &access;
  vfs.xFullPathname = &full_path;
  vfs.xRandomness = &randomness;
  vfs.xSleep = &sleep;
  vfs.xCurrentTime = &time;
  vfs.xCurrentTimeInt64 = &time_ms;
  vfs.xGetLastError = &last_error;
}

const sqlite3_io_methods& CrashVfs::Methods::io() {
  static const sqlite3_io_methods kMethods = [] {
    sqlite3_io_methods methods{};
    methods.iVersion = 2;  // shared memory, no memory mapping
    methods.xClose = &close;
    methods.xRead = &read;
    methods.xWrite = &write;
    methods.xTruncate = &truncate;
    methods.xSync = &sync;
    methods.xFileSize = &size;
    methods.xLock = &lock;
    methods.xUnlock = &unlock;
    methods.xCheckReservedLock = &is_reserved;
    methods.xFileControl = &control;
    methods.xSectorSize = &sector_size;
    methods.xDeviceCharacteristics = &characteristics;
    methods.xShmMap = &shm_map;
    methods.xShmLock = &shm_lock;
    methods.xShmBarrier = &shm_barrier;
    methods.xShmUnmap = &shm_unmap;
    return methods;
  }();
  return kMethods;
}

namespace {

template <class Vfs>
Vfs& disk_of(sqlite3_vfs* vfs) {
  return *static_cast<Vfs*>(vfs->pAppData);
}

}  // namespace

int CrashVfs::Methods::open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags,
                            int* out_flags) noexcept {
  auto& disk = disk_of<CrashVfs>(vfs);
  file->pMethods = nullptr;
  std::shared_ptr<Inode> inode;
  bool read_only = (flags & SQLITE_OPEN_READONLY) != 0;
  if (path == nullptr) {
    inode = std::make_shared<Inode>();
    inode->scratch = true;
  } else {
    if (disk.cut_) return SQLITE_IOERR;
    const auto found = disk.visible_.find(path);
    const bool exists = found != disk.visible_.end();
    if (!exists && (flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
    const auto failure = disk.failure_of(exists ? Kind::open : Kind::create);
    if (failure != SQLITE_OK && (failure != SQLITE_READONLY || !exists)) return SQLITE_CANTOPEN;
    read_only = read_only || failure == SQLITE_READONLY;
    if (exists) {
      inode = found->second;
    } else {
      inode = std::make_shared<Inode>();
      disk.visible_[path] = inode;
      if (disk.change(Kind::create, 0, 0)) {
        disk.cut();
        return SQLITE_IOERR;
      }
    }
  }
  auto* handle = new Handle;
  handle->vfs = &disk;
  handle->inode = std::move(inode);
  handle->path = path == nullptr ? "" : path;
  handle->generation = disk.generation_;
  handle->read_only = read_only;
  handle->is_journal =
      (flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL)) != 0;
  handle->delete_on_close = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
  static_cast<File*>(file)->handle = handle;
  file->pMethods = &io();
  if (out_flags != nullptr) {
    *out_flags =
        read_only ? (flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) | SQLITE_OPEN_READONLY
                  : flags;
  }
  return SQLITE_OK;
}

int CrashVfs::Methods::remove(sqlite3_vfs* vfs, const char* path, int sync_directory) noexcept {
  auto& disk = disk_of<CrashVfs>(vfs);
  if (disk.cut_) return SQLITE_IOERR_DELETE;
  const auto found = disk.visible_.find(path);
  if (found == disk.visible_.end()) return SQLITE_IOERR_DELETE_NOENT;
  if (const auto failure = disk.failure_of(Kind::remove); failure != SQLITE_OK) return failure;
  disk.visible_.erase(found);
  if (disk.change(Kind::remove, 0, 0)) {
    disk.cut();
    return SQLITE_IOERR_DELETE;
  }
  if (sync_directory != 0 && !disk.options_.lying_sync) disk.durable_ = disk.visible_;
  return SQLITE_OK;
}

int CrashVfs::Methods::access(sqlite3_vfs* vfs, const char* path, int, int* result) noexcept {
  auto& disk = disk_of<CrashVfs>(vfs);
  if (disk.cut_) return SQLITE_IOERR_ACCESS;
  // As the unix VFS: an empty journal counts as none.
  const auto found = disk.visible_.find(path);
  *result = found != disk.visible_.end() && !found->second->visible.empty() ? 1 : 0;
  return SQLITE_OK;
}

int CrashVfs::Methods::full_path(sqlite3_vfs*, const char* path, int bytes, char* out) noexcept {
  sqlite3_snprintf(bytes, out, "%s", path);
  return SQLITE_OK;
}

int CrashVfs::Methods::randomness(sqlite3_vfs* vfs, int bytes, char* out) noexcept {
  auto& random = disk_of<CrashVfs>(vfs).random_;
  for (int i = 0; i < bytes; ++i) out[i] = static_cast<char>(random.next());
  return bytes;
}

// Nobody else runs meanwhile, so waiting could change nothing.
int CrashVfs::Methods::sleep(sqlite3_vfs*, int microseconds) noexcept { return microseconds; }

int CrashVfs::Methods::time(sqlite3_vfs* vfs, double* days) noexcept {
  sqlite3_int64 ms = 0;
  time_ms(vfs, &ms);
  *days = static_cast<double>(ms) / kMsPerDay;
  return SQLITE_OK;
}

int CrashVfs::Methods::time_ms(sqlite3_vfs* vfs, sqlite3_int64* ms) noexcept {
  *ms = static_cast<sqlite3_int64>(disk_of<CrashVfs>(vfs).wall_ms_()) + kUnixEpochJulianMs;
  return SQLITE_OK;
}

int CrashVfs::Methods::last_error(sqlite3_vfs*, int, char*) noexcept { return 0; }

int CrashVfs::Methods::close(sqlite3_file* file) noexcept {
  auto& handle = handle_of<Handle>(file);
  if (handle.generation == handle.vfs->generation_) {
    unlock(file, SQLITE_LOCK_NONE);
    shm_unmap(file, 0);
    if (handle.delete_on_close && !handle.vfs->cut_) handle.vfs->visible_.erase(handle.path);
  }
  delete &handle;
  file->pMethods = nullptr;
  return SQLITE_OK;
}

int CrashVfs::Methods::read(sqlite3_file* file, void* out, int bytes, sqlite3_int64 at) noexcept {
  auto& handle = handle_of<Handle>(file);
  auto& inode = *handle.inode;
  if (handle.dead()) return SQLITE_IOERR_READ;
  if (!inode.scratch && !handle.vfs->faults_.empty()) {
    if (const auto failure = handle.vfs->failure_of(Kind::read); failure != SQLITE_OK)
      return failure;
  }
  const auto wanted = static_cast<std::size_t>(bytes);
  const auto from = static_cast<std::size_t>(at);
  const auto there =
      from < inode.visible.size() ? std::min(wanted, inode.visible.size() - from) : 0;
  if (there > 0) std::memcpy(out, inode.visible.data() + from, there);
  if (there == wanted) return SQLITE_OK;
  std::memset(static_cast<char*>(out) + there, 0, wanted - there);
  return SQLITE_IOERR_SHORT_READ;
}

namespace {

template <class Inode>
void put_bytes(Inode& inode, const void* in, std::size_t bytes, std::size_t at) {
  if (inode.visible.size() < at + bytes) inode.visible.resize(at + bytes);
  std::memcpy(inode.visible.data() + at, in, bytes);
  if (inode.scratch) return;
  inode.pending.push_back({false, at, std::string(static_cast<const char*>(in), bytes)});
}

}  // namespace

int CrashVfs::Methods::write(sqlite3_file* file, const void* in, int bytes,
                             sqlite3_int64 at) noexcept {
  auto& handle = handle_of<Handle>(file);
  auto& disk = *handle.vfs;
  if (handle.dead()) return SQLITE_IOERR_WRITE;
  if (handle.read_only) return SQLITE_READONLY;
  auto size = static_cast<std::size_t>(bytes);
  if (handle.inode->scratch) {
    put_bytes(*handle.inode, in, size, static_cast<std::size_t>(at));
    return SQLITE_OK;
  }
  if (const auto failure = disk.failure_of(Kind::write); failure != SQLITE_OK) {
    size = failure == SQLITE_READONLY
               ? 0
               : static_cast<std::size_t>(disk.random_.below(size + 1)) & ~std::size_t{511};
    if (size > 0) put_bytes(*handle.inode, in, size, static_cast<std::size_t>(at));
    return failure;
  }
  put_bytes(*handle.inode, in, size, static_cast<std::size_t>(at));
  if (!disk.change(Kind::write, static_cast<std::uint64_t>(at), size)) return SQLITE_OK;
  disk.cut();
  return SQLITE_IOERR_WRITE;
}

int CrashVfs::Methods::truncate(sqlite3_file* file, sqlite3_int64 size) noexcept {
  auto& handle = handle_of<Handle>(file);
  auto& disk = *handle.vfs;
  if (handle.dead()) return SQLITE_IOERR_TRUNCATE;
  if (handle.read_only) return SQLITE_READONLY;
  if (!handle.inode->scratch) {
    if (const auto failure = disk.failure_of(Kind::truncate); failure != SQLITE_OK) return failure;
    handle.inode->pending.push_back({true, static_cast<std::uint64_t>(size), {}});
  }
  handle.inode->visible.resize(static_cast<std::size_t>(size));
  if (handle.inode->scratch || !disk.change(Kind::truncate, static_cast<std::uint64_t>(size), 0))
    return SQLITE_OK;
  disk.cut();
  return SQLITE_IOERR_TRUNCATE;
}

int CrashVfs::Methods::sync(sqlite3_file* file, int) noexcept {
  auto& handle = handle_of<Handle>(file);
  auto& disk = *handle.vfs;
  if (handle.dead()) return SQLITE_IOERR_FSYNC;
  if (handle.inode->scratch) return SQLITE_OK;
  if (const auto failure = disk.failure_of(Kind::sync); failure != SQLITE_OK) {
    disk.forget_unsynced(*handle.inode);
    return failure;
  }
  if (disk.change(Kind::sync, 0, 0)) {
    disk.cut();
    return SQLITE_IOERR_FSYNC;
  }
  disk.sync(*handle.inode, handle.path);
  // As the unix VFS: a new journal's first sync covers its directory.
  if (handle.is_journal && !disk.options_.lying_sync) disk.durable_ = disk.visible_;
  return SQLITE_OK;
}

int CrashVfs::Methods::size(sqlite3_file* file, sqlite3_int64* out) noexcept {
  auto& handle = handle_of<Handle>(file);
  if (handle.dead()) return SQLITE_IOERR_FSTAT;
  *out = static_cast<sqlite3_int64>(handle.inode->visible.size());
  return SQLITE_OK;
}

int CrashVfs::Methods::lock(sqlite3_file* file, int level) noexcept {
  auto& handle = handle_of<Handle>(file);
  auto& inode = *handle.inode;
  const auto held_by_other = [&handle](const Handle* owner) {
    return owner != nullptr && owner != &handle;
  };
  if (handle.dead()) return SQLITE_IOERR_LOCK;
  if (handle.lock >= level) return SQLITE_OK;
  if (held_by_other(inode.exclusive)) return SQLITE_BUSY;
  if (handle.lock == SQLITE_LOCK_NONE) {
    if (held_by_other(inode.waits_for_readers)) return SQLITE_BUSY;
    ++inode.shared;
    handle.lock = SQLITE_LOCK_SHARED;
  }
  if (level == SQLITE_LOCK_SHARED) return SQLITE_OK;
  if (held_by_other(inode.reserved) || held_by_other(inode.waits_for_readers)) return SQLITE_BUSY;
  if (level == SQLITE_LOCK_RESERVED) {
    inode.reserved = &handle;
    handle.lock = SQLITE_LOCK_RESERVED;
    return SQLITE_OK;
  }
  inode.waits_for_readers = &handle;
  handle.lock = SQLITE_LOCK_PENDING;
  if (inode.shared > 1) return SQLITE_BUSY;
  inode.exclusive = &handle;
  handle.lock = SQLITE_LOCK_EXCLUSIVE;
  return SQLITE_OK;
}

int CrashVfs::Methods::unlock(sqlite3_file* file, int level) noexcept {
  auto& handle = handle_of<Handle>(file);
  auto& inode = *handle.inode;
  if (handle.generation != handle.vfs->generation_ || handle.lock <= level) return SQLITE_OK;
  if (inode.exclusive == &handle) inode.exclusive = nullptr;
  if (inode.waits_for_readers == &handle) inode.waits_for_readers = nullptr;
  if (inode.reserved == &handle) inode.reserved = nullptr;
  if (level == SQLITE_LOCK_NONE) --inode.shared;
  handle.lock = level;
  return SQLITE_OK;
}

int CrashVfs::Methods::is_reserved(sqlite3_file* file, int* out) noexcept {
  const auto& inode = *handle_of<Handle>(file).inode;
  *out =
      inode.reserved != nullptr || inode.waits_for_readers != nullptr || inode.exclusive != nullptr
          ? 1
          : 0;
  return SQLITE_OK;
}

int CrashVfs::Methods::control(sqlite3_file*, int, void*) noexcept { return SQLITE_NOTFOUND; }
int CrashVfs::Methods::sector_size(sqlite3_file*) noexcept { return kSectorSize; }
// What the unix VFS says of itself.
int CrashVfs::Methods::characteristics(sqlite3_file*) noexcept {
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

int CrashVfs::Methods::shm_map(sqlite3_file* file, int region, int bytes, int extend,
                               void volatile** out) noexcept {
  auto& handle = handle_of<Handle>(file);
  const auto index = static_cast<std::size_t>(region);
  *out = nullptr;
  if (handle.dead()) return SQLITE_IOERR_SHMMAP;
  if (!handle.inode->shm) handle.inode->shm = std::make_shared<SharedMemory>();
  if (!handle.shm) ++handle.inode->shm_users;
  handle.shm = handle.inode->shm;
  auto& shm = *handle.shm;
  if (index >= shm.size() && extend == 0) return SQLITE_OK;
  while (shm.size() <= index)
    shm.push_back(std::make_unique<char[]>(static_cast<std::size_t>(bytes)));
  *out = shm[index].get();
  return SQLITE_OK;
}

int CrashVfs::Methods::shm_lock(sqlite3_file* file, int offset, int count, int flags) noexcept {
  auto& handle = handle_of<Handle>(file);
  if (handle.generation != handle.vfs->generation_) return SQLITE_IOERR_SHMLOCK;
  const bool unlocks = (flags & SQLITE_SHM_UNLOCK) != 0;
  const bool shared = (flags & SQLITE_SHM_SHARED) != 0;
  const auto first = handle.inode->shm_locks.begin() + offset;
  const auto bit_of = [&](auto at) {
    return 1u << static_cast<unsigned>(at - handle.inode->shm_locks.begin());
  };
  if (!unlocks) {
    for (auto at = first; at != first + count; ++at) {
      const unsigned own = (handle.shm_shared & bit_of(at)) != 0 ? 1 : 0;
      if (at->owner != nullptr && at->owner != &handle) return SQLITE_BUSY;
      if (!shared && at->shared > own) return SQLITE_BUSY;
    }
  }
  for (auto at = first; at != first + count; ++at) {
    const bool had = (handle.shm_shared & bit_of(at)) != 0;
    if (shared && unlocks == had) {
      at->shared = unlocks ? at->shared - 1 : at->shared + 1;
      handle.shm_shared ^= bit_of(at);
    }
    if (!shared) at->owner = unlocks ? nullptr : &handle;
  }
  return SQLITE_OK;
}

void CrashVfs::Methods::shm_barrier(sqlite3_file*) noexcept {}

int CrashVfs::Methods::shm_unmap(sqlite3_file* file, int remove) noexcept {
  auto& handle = handle_of<Handle>(file);
  if (handle.generation != handle.vfs->generation_) return SQLITE_OK;
  for (auto& slot : handle.inode->shm_locks) {
    const auto bit = 1u << static_cast<unsigned>(&slot - handle.inode->shm_locks.data());
    if (slot.owner == &handle) slot.owner = nullptr;
    if ((handle.shm_shared & bit) != 0) --slot.shared;
  }
  handle.shm_shared = 0;
  // As the unix VFS: whoever comes first finds it empty, and reads the write-ahead log anew.
  if (handle.shm && --handle.inode->shm_users == 0) handle.inode->shm.reset();
  handle.shm.reset();
  static_cast<void>(remove);
  return SQLITE_OK;
}

}  // namespace belay::test
