#include "work_dir.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace belay::bench {
namespace {

std::string parent_of(const std::string& wanted) {
  if (!wanted.empty()) return wanted;
  const char* variable = std::getenv("TMPDIR");
  return variable != nullptr && *variable != '\0' ? variable : "/var/tmp";
}

}  // namespace

Result<WorkDir> WorkDir::make(const std::string& parent, bool keep) {
  const std::string root = parent_of(parent);
  std::error_code failed;
  std::filesystem::create_directories(root, failed);
  std::string path = root + "/belay-bench-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) {
    return Error{ErrorCode::storage,
                 fmt::format("cannot make a directory in {}: {}", root, std::strerror(errno))};
  }
  return WorkDir(std::move(path), keep);
}

WorkDir::WorkDir(WorkDir&& other) noexcept
    : path_(std::exchange(other.path_, {})), keep_(other.keep_) {}

WorkDir::~WorkDir() {
  if (path_.empty() || keep_) return;
  std::error_code failed;
  std::filesystem::remove_all(path_, failed);
}

}  // namespace belay::bench
