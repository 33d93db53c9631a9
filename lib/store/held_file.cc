#include "store/held_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/descriptor.h"
#include "base/file_error.h"
#include "base/forks.h"

namespace belay::store {
namespace {

// The places of SQLite's locks, which SQLite's file format defines: in the state file the lock of
// readers; in the shared memory the lock of the writer, and the lock of every user.
constexpr off_t kSharedFirst = 0x40000002;
constexpr off_t kSharedBytes = 510;
constexpr off_t kShmWriteByte = 120;
constexpr off_t kShmInUseByte = 128;
constexpr int kHeldFileFlags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
constexpr off_t kHolderByte = off_t{1} << 56;  // beyond everything that SQLite could use

// These locks belong to the open file, not to the process: a second engine in the same process is
// refused too. On systems without such locks only the lock file protects the state file.
#ifdef F_OFD_SETLK
struct flock range_of(short type, off_t first, off_t bytes) {
  struct flock range {};
  range.l_type = type;
  range.l_whence = SEEK_SET;
  range.l_start = first;
  range.l_len = bytes;
  return range;
}
bool set_lock(int descriptor, short type, off_t first, off_t bytes) {
  auto range = range_of(type, first, bytes);
  return fcntl(descriptor, F_OFD_SETLK, &range) == 0;
}
bool others_lock(int descriptor, off_t first) {
  auto range = range_of(F_WRLCK, first, 1);
  return fcntl(descriptor, F_OFD_GETLK, &range) != 0 || range.l_type != F_UNLCK;
}
#else
bool set_lock(int, short, off_t, off_t) { return true; }
bool others_lock(int, off_t) { return true; }
#endif

bool is_mounted_itself([[maybe_unused]] int descriptor) {
#ifdef STATX_ATTR_MOUNT_ROOT
  struct statx status {};
  return statx(descriptor, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &status) == 0 &&
         (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
#else
  return false;
#endif
}

// The write-ahead log lies beside the name by which the file was opened. If the file is opened by
// another name, the log is not found, and its content is missing.
Result<> check_place(int descriptor, const struct stat& status, const std::string& path) {
  if (!S_ISREG(status.st_mode))
    return Error{ErrorCode::storage, fmt::format("{} is no regular file", path)};
  if (status.st_nlink > 1) {
    return Error{
        ErrorCode::misplaced,
        fmt::format("{} has {} names (hard links), and its write-ahead log only one: remove "
                    "the other names, or copy the file instead",
                    path, status.st_nlink)};
  }
  if (is_mounted_itself(descriptor)) {
    return Error{
        ErrorCode::misplaced,
        fmt::format("{} is mounted by itself, and its write-ahead log would lie outside of "
                    "the mount: mount the folder instead",
                    path)};
  }
  return {};
}

Error vanished(const std::string& path) {
  return {ErrorCode::storage,
          fmt::format("{} was removed or replaced under the engine: put the same file back, or "
                      "restart the engine to go on with what is there",
                      path)};
}

Error vanished_beside(const std::string& path) {
  return {
      ErrorCode::storage,
      fmt::format("{} was removed or replaced under the engine: if it does not go on by itself, "
                  "restart it",
                  path)};
}

}  // namespace

// The file's times are not requested: after somebody has read the times of a file, the kernel gives
// the file finer times at its next write (Linux 6.13), and each sync of the log would then write
// the inode as well.
std::optional<FileId> file_id(const std::string& path) {
#ifdef STATX_INO
  struct statx found {};
  if (statx(AT_FDCWD, path.c_str(), 0, STATX_INO, &found) == 0)
    return FileId{makedev(found.stx_dev_major, found.stx_dev_minor), found.stx_ino};
#endif
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return std::nullopt;
  return FileId{status.st_dev, status.st_ino};
}

// Closing an O_PATH descriptor releases no locks of the process.
Result<> check_place(const std::string& canonical) {
  const int descriptor = ::open(canonical.c_str(), O_PATH | O_CLOEXEC);
  if (descriptor < 0) return base::file_error("open", canonical);
  struct stat status {};
  if (fstat(descriptor, &status) != 0) {
    const auto error = base::file_error("look at", canonical);
    ::close(descriptor);
    return error;
  }
  auto placed = check_place(descriptor, status, canonical);
  ::close(descriptor);
  return placed;
}

Result<HeldFile> HeldFile::open(const std::string& canonical, std::uint32_t mode) {
  HeldFile file;
  file.path_ = canonical;
  file.owner_ = getpid();
  file.descriptor_ = base::open_or_create(canonical.c_str(), kHeldFileFlags, mode);
  if (file.descriptor_ < 0) return base::file_error("open", canonical);
  base::leave_behind(file.descriptor_);
  struct stat status {};
  if (fstat(file.descriptor_, &status) != 0) return base::file_error("look at", canonical);
  file.id_ = {status.st_dev, status.st_ino};
  file.mode_ = status.st_mode & 0777U;
  BELAY_TRY(check_place(file.descriptor_, status, canonical));
  if (set_lock(file.descriptor_, F_WRLCK, kHolderByte, 1)) return file;
  if (errno != EAGAIN && errno != EACCES) return base::file_error("lock", canonical);
  return Error{ErrorCode::locked,
               fmt::format("{} is held by another engine, under another name or without its "
                           "lock file",
                           canonical)};
}

void HeldFile::close_shm() {
  if (shm_ < 0) return;
  base::take_along(shm_);
  close(std::exchange(shm_, -1));
}

void HeldFile::release() {
  if (descriptor_ < 0) return;
  unguard();
  if (owner_ == getpid()) set_lock(descriptor_, F_UNLCK, kHolderByte, 1);
  close_shm();
  base::take_along(descriptor_);
  close(std::exchange(descriptor_, -1));
}

// Closing a descriptor of the shared memory drops SQLite's locks on it. So the descriptor stays
// open unless its file is no longer in use.
Result<> HeldFile::open_shm() {
  const auto path = path_ + "-shm";
  struct stat status {};
  const auto there = file_id(path);
  if (shm_ >= 0 && fstat(shm_, &status) == 0 && there == FileId{status.st_dev, status.st_ino})
    return {};
  close_shm();
  shm_ = base::open_beyond_standard_streams(path.c_str(), kHeldFileFlags);
  if (shm_ < 0) return vanished_beside(path);
  base::leave_behind(shm_);
  return {};
}

Result<> HeldFile::guard() {
  BELAY_TRY(check_path());
  BELAY_TRY(open_shm());
  // The open write transaction has its lock in the shared memory that SQLite uses.
  if (!others_lock(shm_, kShmWriteByte)) return vanished_beside(path_ + "-shm");
  struct stat status {};
  if (fstat(shm_, &status) != 0) return base::file_error("look at", path_ + "-shm");
  // On a disk without such locks the checks at every commit must suffice.
  set_lock(descriptor_, F_RDLCK, kSharedFirst, kSharedBytes);
  set_lock(shm_, F_RDLCK, kShmInUseByte, 1);
  shm_id_ = {status.st_dev, status.st_ino};
  wal_id_ = file_id(path_ + "-wal");
  return wal_id_ ? Result<>() : vanished_beside(path_ + "-wal");
}

void HeldFile::unguard() {
  wal_id_.reset();
  shm_id_.reset();
  if (descriptor_ < 0 || owner_ != getpid()) return;
  set_lock(descriptor_, F_UNLCK, kSharedFirst, kSharedBytes);
  if (shm_ >= 0) set_lock(shm_, F_UNLCK, kShmInUseByte, 1);
}

Result<> HeldFile::check_path() const {
  if (descriptor_ < 0 || file_id(path_) == id_) return {};
  return vanished(path_);
}

Result<> HeldFile::check_all() const {
  BELAY_TRY(check_path());
  if (lost_wal()) return vanished_beside(path_ + "-wal");
  if (shm_id_ && file_id(path_ + "-shm") != shm_id_) return vanished_beside(path_ + "-shm");
  return {};
}

// A piece without a page to write costs less than a microsecond: so a large file has larger pieces
// and not more of them. An error of the disk is reported here, as some kernels report it only once;
// whatever else fails (a file system that cannot do this) is no harm.
Result<> HeldFile::write_out([[maybe_unused]] const std::atomic<bool>& hurry) const {
#ifdef SYNC_FILE_RANGE_WRITE
  constexpr off_t kPiece = 256 * 1024;
  constexpr off_t kPiecesMax = 4'096;
  constexpr unsigned kWriteAndWait =
      SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
  const auto end = ::lseek(descriptor_, 0, SEEK_END);
  const auto piece = std::max(kPiece, end / kPiecesMax);
  for (off_t at = 0; at < end && !hurry.load(std::memory_order_relaxed); at += piece) {
    if (::sync_file_range(descriptor_, at, piece, kWriteAndWait) == 0) continue;
    if (errno == EIO || errno == ENOSPC || errno == EDQUOT) return base::file_error("write", path_);
    break;
  }
#endif
  return {};
}

bool HeldFile::lost_wal() const { return wal_id_ && file_id(path_ + "-wal") != wal_id_; }

bool HeldFile::has_name() const {
  struct stat status {};
  return descriptor_ < 0 || fstat(descriptor_, &status) != 0 || status.st_nlink > 0;
}

bool HeldFile::replaced() const {
  const auto there = file_id(path_);
  return descriptor_ >= 0 && there && *there != id_;
}

}  // namespace belay::store
