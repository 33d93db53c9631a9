// Copies a state file while an engine uses it. The copy gets its name only when all of it is on
// disk, so whatever has that name is whole.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/descriptor.h"
#include "store/reader_impl.h"

namespace belay::store {
namespace {

constexpr mode_t kPermissions = S_IRWXU | S_IRWXG | S_IRWXO;

Error failure(std::string_view doing, const std::string& path) {
  const int code = errno;
  return {code == ENOSPC || code == EDQUOT ? ErrorCode::no_space : ErrorCode::storage,
          fmt::format("cannot {} {}: {}", doing, path, std::generic_category().message(code))};
}

Error exists(const std::string& to) {
  return {ErrorCode::invalid_argument,
          fmt::format("there is a file {} already, and a backup replaces none", to)};
}

// A file of this process alone, which is removed at the end of the scope unless it got its name.
class Part {
 public:
  static Result<Part> make(const std::string& path) {
    const base::StandardStreamsTaken taken;
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0 && errno == EEXIST)
      return Error{ErrorCode::invalid_argument,
                   fmt::format("there is a file {}: another backup writes it, or one was "
                               "interrupted; then remove it",
                               path)};
    if (fd < 0) return failure("create", path);
    ::close(fd);
    return Part(path);
  }
  Part(Part&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Part& operator=(Part&&) = delete;
  ~Part() {
    if (path_.empty()) return;
    ::unlink(path_.c_str());
    remove_journal();
  }
  const std::string& path() const { return path_; }
  // Replaces no file. The file is never under two names, unless the file system cannot do that.
  Result<> give_name(const std::string& to) {
    if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
      path_.clear();
      return {};
    }
    if (errno == EEXIST) return exists(to);
    if (errno != EINVAL && errno != ENOSYS) return failure("name", to);
    if (::link(path_.c_str(), to.c_str()) == 0) return {};
    return errno == EEXIST ? exists(to) : failure("name", to);
  }

 private:
  explicit Part(std::string path) : path_(std::move(path)) {}
  void remove_journal() const { ::unlink((path_ + "-journal").c_str()); }

  std::string path_;
};

Result<> sync(const std::string& path, int flags) {
  const int fd = base::open_beyond_standard_streams(path.c_str(), flags | O_CLOEXEC);
  if (fd < 0) return failure("open", path);
  const bool synced = ::fsync(fd) == 0;
  auto result = synced ? Result<>() : Result<>(failure("sync", path));
  ::close(fd);
  return result;
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Result<> back_up(sqlite::Database& database, const std::string& from, const std::string& name) {
  if (name.empty() || name.find('\0') != std::string::npos)
    return Error{ErrorCode::invalid_argument, "the backup's path is empty or has a NUL"};
  // SQLite takes a name that begins with "file:" for a URI, but no absolute path.
  std::error_code unknown;
  const auto to = std::filesystem::absolute(name, unknown).string();
  if (unknown) return Error{ErrorCode::storage, "the working folder is gone"};
  struct stat status {};
  if (::lstat(to.c_str(), &status) == 0) return exists(to);
  if (::stat(from.c_str(), &status) != 0) return failure("look at", from);
  auto part = Part::make(to + ".part");
  if (!part) return part.error();
  // SQLite takes an empty file for a new database.
  auto copy = sqlite::Statement::prepare(database.handle(), "VACUUM main INTO ?1");
  if (!copy) return copy.error();
  copy->bind_text(1, part->path());
  BELAY_TRY(copy->run());
  // Whatever the umask; some file systems have no permissions.
  static_cast<void>(::chmod(part->path().c_str(), status.st_mode & kPermissions) == 0);
  BELAY_TRY(sync(part->path(), O_RDONLY));
  {
    // If a link was needed, the second name is gone before the folder is synced.
    Part named = std::move(*part);
    BELAY_TRY(named.give_name(to));
  }
  return sync(folder_of(to), O_RDONLY | O_DIRECTORY);
}

}  // namespace belay::store
