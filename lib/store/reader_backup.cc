// Copies a state file while an engine uses it. The copy gets its name only when all of it is on
// disk, so whatever has that name is whole.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
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

// A file of this process alone, which is removed at the end of the scope.
class Part {
 public:
  static Result<Part> make(const std::string& path, mode_t permissions) {
    const base::StandardStreamsTaken taken;
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, permissions);
    if (fd < 0 && errno == EEXIST)
      return Error{ErrorCode::invalid_argument,
                   fmt::format("there is a file {}: another backup writes it, or one was "
                               "interrupted; then remove it",
                               path)};
    if (fd < 0) return failure("create", path);
    static_cast<void>(::fchmod(fd, permissions) == 0);  // whatever the umask
    ::close(fd);
    return Part(path);
  }
  Part(Part&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Part& operator=(Part&&) = delete;
  ~Part() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  const std::string& path() const { return path_; }

 private:
  explicit Part(std::string path) : path_(std::move(path)) {}
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

Error exists(const std::string& to) {
  return {ErrorCode::invalid_argument,
          fmt::format("there is a file {} already, and a backup replaces none", to)};
}

// A link, since a rename would replace a file that came meanwhile. Some file systems have no links.
Result<> give_name(const std::string& part, const std::string& to) {
  if (::link(part.c_str(), to.c_str()) == 0) return {};
  if (errno == EEXIST) return exists(to);
  if (::rename(part.c_str(), to.c_str()) == 0) return {};
  return failure("name", to);
}

}  // namespace

Result<> back_up(sqlite::Database& database, const std::string& from, const std::string& to) {
  if (to.empty() || to.find('\0') != std::string::npos)
    return Error{ErrorCode::invalid_argument, "the backup's path is empty or has a NUL"};
  struct stat status {};
  if (::lstat(to.c_str(), &status) == 0) return exists(to);
  if (::stat(from.c_str(), &status) != 0) return failure("look at", from);
  auto part = Part::make(to + ".part", status.st_mode & kPermissions);
  if (!part) return part.error();
  // SQLite takes an empty file for a new database.
  auto copy = sqlite::Statement::prepare(database.handle(), "VACUUM main INTO ?1");
  if (!copy) return copy.error();
  copy->bind_text(1, part->path());
  BELAY_TRY(copy->run());
  BELAY_TRY(sync(part->path(), O_RDONLY));
  BELAY_TRY(give_name(part->path(), to));
  return sync(folder_of(to), O_RDONLY | O_DIRECTORY);
}

}  // namespace belay::store
