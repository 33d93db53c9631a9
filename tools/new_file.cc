#include "new_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace belay::tool {
namespace {

Error failure(std::string_view doing, const std::string& path) {
  const int code = errno;
  return {code == ENOSPC || code == EDQUOT ? ErrorCode::no_space : ErrorCode::storage,
          fmt::format("cannot {} {}: {}", doing, path, std::generic_category().message(code))};
}

Error exists(const std::string& path) {
  return {ErrorCode::invalid_argument, fmt::format("there is a file {} already", path)};
}

}  // namespace

Result<NewFile> NewFile::make(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) return exists(path);
  const auto part = path + ".part";
  const int fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (fd < 0 && errno == EEXIST) return exists(part);
  if (fd < 0) return failure("create", part);
  return NewFile(path, fd);
}

NewFile::~NewFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(part().c_str());
}

Result<> NewFile::finish() {
  if (::fsync(descriptor_) != 0) return failure("sync", part());
  // Replaces no file.
  if (::link(part().c_str(), path_.c_str()) != 0)
    return errno == EEXIST ? exists(path_) : failure("name", path_);
  ::unlink(part().c_str());
  ::close(std::exchange(descriptor_, -1));
  const auto folder = std::filesystem::path(path_).parent_path();
  const int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return failure("open the folder of", path_);
  const bool synced = ::fsync(fd) == 0;
  const auto error = failure("sync the folder of", path_);
  ::close(fd);
  return synced ? Result<>() : Result<>(error);
}

}  // namespace belay::tool
