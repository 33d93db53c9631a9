#include "store/lock_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "base/descriptor.h"
#include "base/file_error.h"
#include "base/forks.h"
#include "base/invalid.h"

namespace belay::store {
namespace {

constexpr int kLinksMax = 40;
// These flags suit whatever may be at the path: a symbolic link is not followed, and the open of a
// pipe does not wait.
constexpr int kOpenFlags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;

std::string lock_path(const std::string& canonical) { return canonical + "-lock"; }

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data())
                                                        : std::string("unknown");
}

std::string read_holder(int descriptor) {
  std::array<char, 512> text{};
  const auto size = pread(descriptor, text.data(), text.size(), 0);
  std::string holder(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  while (!holder.empty() && holder.back() == '\n') holder.pop_back();
  return holder;
}

// These locks belong to the open file, not to the process: a second engine in the same process is
// refused too. With F_OFD_SETLK a lock can be checked without being taken. Without F_OFD_SETLK the
// lock counts as held if the process that the lock file names is alive.
#ifdef F_OFD_SETLK
struct flock whole_file() {
  struct flock range {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  return range;
}
bool lock(int descriptor) {
  auto range = whole_file();
  return fcntl(descriptor, F_OFD_SETLK, &range) == 0;
}
// Unlocks explicitly instead of by closing: a forked process may have the open file too.
void unlock(int descriptor) {
  auto range = whole_file();
  range.l_type = F_UNLCK;
  static_cast<void>(fcntl(descriptor, F_OFD_SETLK, &range) == 0);
}
bool is_locked(int descriptor, const std::string&) {
  auto range = whole_file();
  return fcntl(descriptor, F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;
}
#else
bool lock(int descriptor) { return flock(descriptor, LOCK_EX | LOCK_NB) == 0; }
void unlock(int descriptor) { static_cast<void>(flock(descriptor, LOCK_UN) == 0); }
bool is_locked(int, const std::string& holder) {
  const long pid = holder.rfind("pid ", 0) == 0 ? std::strtol(holder.c_str() + 4, nullptr, 10) : 0;
  return pid > 0 && (kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM);
}
#endif

// The system's functions read a path up to the first NUL.
Result<> check_path(std::string_view path) {
  if (path.empty()) return base::invalid("the path of the state file is empty");
  if (path.find('\0') != std::string_view::npos)
    return base::invalid("the path of the state file has a NUL in it");
  if (path != ":memory:" && !path.starts_with("file:")) return {};
  return base::invalid(fmt::format(
      "\"{0}\" is no path of a state file, which must be on a disk; a file of this name "
      "is \"./{0}\"",
      path));
}

}  // namespace

Result<std::string> canonical_path(std::string_view path) {
  namespace fs = std::filesystem;
  BELAY_TRY(check_path(path));
  std::error_code error;
  fs::path target(path);
  // A link may point to a file that does not exist yet; SQLite would create the file there.
  for (int links = 0; links < kLinksMax && fs::is_symlink(target, error); ++links) {
    const auto next = fs::read_symlink(target, error);
    if (error) break;
    target = next.is_absolute() ? next : target.parent_path() / next;
  }
  const auto folder = target.has_parent_path() ? target.parent_path() : fs::path(".");
  const auto canonical = fs::canonical(folder, error);
  if (error || target.filename().empty()) {
    return Error{ErrorCode::storage, fmt::format("no state file can be at \"{}\": {}", path,
                                                 error ? error.message() : "it is a folder")};
  }
  return (canonical / target.filename()).string();
}

Result<LockFile> LockFile::take(const std::string& canonical, std::uint32_t mode) {
  LockFile file;
  file.path_ = lock_path(canonical);
  file.descriptor_ = base::open_or_create(file.path_.c_str(), O_RDWR | kOpenFlags, mode);
  if (file.descriptor_ < 0 && errno == ELOOP) {
    return Error{ErrorCode::misplaced,
                 fmt::format("the lock file {} is a symbolic link: remove it", file.path_)};
  }
  if (file.descriptor_ < 0) return base::file_error("open the lock file", file.path_);
  base::leave_behind(file.descriptor_);
  if (lock(file.descriptor_)) return file;
  if (errno != EAGAIN && errno != EACCES && errno != EWOULDBLOCK) {
    return base::file_error("lock", file.path_);
  }
  auto holder = read_holder(file.descriptor_);
  base::take_along(file.descriptor_);
  close(std::exchange(file.descriptor_, -1));
  if (holder.empty()) holder = "another engine";
  return Error{ErrorCode::locked, fmt::format("{} is held by {}", canonical, holder)};
}

void LockFile::name_holder(std::string_view since) const {
  const auto text = fmt::format("pid {} on {} since {}\n", getpid(), host_name(), since);
  const bool written =
      ftruncate(descriptor_, 0) == 0 &&
      pwrite(descriptor_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
  // A full disk must not keep an engine from opening the file: the lock holds without its text.
  static_cast<void>(written);
}

void LockFile::release() {
  if (descriptor_ < 0) return;
  static_cast<void>(ftruncate(descriptor_, 0) == 0);
  base::take_along(descriptor_);
  unlock(descriptor_);
  close(std::exchange(descriptor_, -1));
}

std::string lock_holder(const std::string& canonical) {
  const int descriptor =
      base::open_beyond_standard_streams(lock_path(canonical).c_str(), O_RDONLY | kOpenFlags);
  if (descriptor < 0) return {};
  auto holder = read_holder(descriptor);
  const bool held = is_locked(descriptor, holder);
  close(descriptor);
  if (!held) return {};
  return holder.empty() ? std::string("another engine") : holder;
}

}  // namespace belay::store
