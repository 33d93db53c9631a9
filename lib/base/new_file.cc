#include "base/new_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "base/descriptor.h"
#include "base/file_error.h"
#include "base/invalid.h"

namespace belay::base {
namespace {

Error exists(const std::string& path) {
  return invalid(fmt::format("there is a file {} already, and it is not replaced", path));
}

Result<> sync_folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  const int fd = open_beyond_standard_streams(folder.empty() ? "." : folder.c_str(),
                                              O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return file_error("open the folder of", path);
  const bool is_synced = ::fsync(fd) == 0;
  auto result = is_synced ? Result<>() : Result<>(file_error("sync the folder of", path));
  ::close(fd);
  return result;
}

}  // namespace

Result<NewFile> NewFile::make(const std::string& path, std::string_view writer) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) return exists(path);
  const auto part = path + ".part";
  const StandardStreamsTaken taken;
  const int fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (fd < 0 && errno == EEXIST)
    return invalid(fmt::format(
        "there is a file {}: another {} writes it, or one was interrupted; then remove it", part,
        writer));
  if (fd < 0) return file_error("create", part);
  return NewFile(path, fd);
}

NewFile::~NewFile() {
  if (descriptor_ < 0) return;
  if (has_its_part()) ::unlink(part().c_str());
  ::close(descriptor_);
}

Result<> NewFile::finish() {
  if (::fsync(descriptor_) != 0) return file_error("sync", part());
  if (!has_its_part())
    return invalid(fmt::format("{} was removed or replaced while it was written", part()));
  BELAY_TRY(give_name());
  ::close(std::exchange(descriptor_, -1));
  return sync_folder_of(path_);
}

bool NewFile::has_its_part() const {
  struct stat ours {};
  struct stat there {};
  return ::fstat(descriptor_, &ours) == 0 && ::lstat(part().c_str(), &there) == 0 &&
         ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

// The file is never under two names, unless the file system cannot do that.
Result<> NewFile::give_name() {
  if (::renameat2(AT_FDCWD, part().c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE) == 0)
    return {};
  if (errno == EEXIST) return exists(path_);
  if (errno != EINVAL && errno != ENOSYS) return file_error("name", path_);
  if (::link(part().c_str(), path_.c_str()) != 0)
    return errno == EEXIST ? exists(path_) : file_error("name", path_);
  ::unlink(part().c_str());
  return {};
}

}  // namespace belay::base
