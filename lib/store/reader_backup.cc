// Copies a state file while an engine uses it.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "base/file_error.h"
#include "base/invalid.h"
#include "base/new_file.h"
#include "store/reader_impl.h"

namespace belay::store {
namespace {

constexpr mode_t kPermissions = S_IRWXU | S_IRWXG | S_IRWXO;

}  // namespace

// SQLite takes an empty file for a new database.
Result<> copy_into(sqlite::Database& database, const std::string& path) {
  auto copy = sqlite::Statement::prepare(database.handle(), "VACUUM main INTO ?1");
  if (!copy) return copy.error();
  copy->bind_text(1, path);
  auto copied = copy->run();
  if (!copied) ::unlink((path + "-journal").c_str());
  return copied;
}

Result<> back_up(sqlite::Database& database, const std::string& from, const std::string& name) {
  if (name.empty() || name.find('\0') != std::string::npos)
    return base::invalid("the backup's path is empty or has a NUL");
  // SQLite takes a name that begins with "file:" for a URI, but no absolute path.
  std::error_code unknown;
  const auto to = std::filesystem::absolute(name, unknown).string();
  if (unknown) return Error{ErrorCode::storage, "the working folder is gone"};
  struct stat status {};
  // SQLite would take them for the new file's own, and write their pages into it.
  for (const auto* left : {"-journal", "-wal", "-shm"}) {
    if (::lstat((to + left).c_str(), &status) == 0)
      return base::invalid(fmt::format("there is a file {}{}: move it away first", to, left));
  }
  if (::stat(from.c_str(), &status) != 0) return base::file_error("look at", from);
  auto file = base::NewFile::make(to, "backup");
  if (!file) return file.error();
  BELAY_TRY(copy_into(database, file->part()));
  // Whatever the umask; some file systems have no permissions.
  static_cast<void>(::fchmod(file->descriptor(), status.st_mode & kPermissions) == 0);
  return file->finish();
}

}  // namespace belay::store
