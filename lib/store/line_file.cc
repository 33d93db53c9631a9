#include "store/line_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/descriptor.h"
#include "base/file_error.h"
#include "base/invalid.h"

namespace belay::store {
namespace {

constexpr std::size_t kReadBytes = 32 * 1024;

}  // namespace

Result<LineFile> LineFile::open(const std::string& path, std::size_t line_bytes_max) {
  LineFile file;
  file.path_ = path;
  file.line_bytes_max_ = line_bytes_max;
  // The open of a pipe does not wait.
  file.descriptor_ =
      base::open_beyond_standard_streams(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file.descriptor_ < 0 && errno == ENOENT)
    return Error{ErrorCode::not_found, fmt::format("there is no file {}", path)};
  if (file.descriptor_ < 0) return base::file_error("open", path);
  struct stat status {};
  if (::fstat(file.descriptor_, &status) != 0) return base::file_error("look at", path);
  if (!S_ISREG(status.st_mode))
    return base::invalid(fmt::format("{} is no regular file, and it is read twice", path));
  file.size_ = static_cast<std::uint64_t>(status.st_size);
  return file;
}

LineFile::LineFile(LineFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      path_(std::move(other.path_)),
      line_bytes_max_(other.line_bytes_max_),
      size_(other.size_),
      read_(other.read_),
      line_(other.line_),
      buffer_(std::move(other.buffer_)),
      begin_(other.begin_) {}

LineFile::~LineFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

unsigned LineFile::percent() const {
  return size_ == 0 ? 100
                    : static_cast<unsigned>(std::min<std::uint64_t>(read_, size_) * 100 / size_);
}

// False: the file has ended.
Result<bool> LineFile::read_more() {
  const auto before = buffer_.size();
  buffer_.resize(before + kReadBytes);
  ssize_t got = 0;
  do {
    got = ::read(descriptor_, buffer_.data() + before, kReadBytes);
  } while (got < 0 && errno == EINTR);
  buffer_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  if (got < 0) return base::file_error("read", path_);
  read_ += static_cast<std::uint64_t>(got);
  return got > 0;
}

Result<std::optional<std::string_view>> LineFile::next() {
  using Found = std::optional<std::string_view>;
  for (std::size_t searched = begin_;;) {
    const auto end = buffer_.find('\n', searched);
    if (end != std::string::npos) {
      const auto line = std::string_view(buffer_).substr(begin_, end + 1 - begin_);
      begin_ = end + 1;
      ++line_;
      return Found(line);
    }
    buffer_.erase(0, std::exchange(begin_, 0));
    if (buffer_.size() > line_bytes_max_) {
      return base::invalid(fmt::format("{}, line {}: it is longer than {} bytes", path_, line_ + 1,
                                       line_bytes_max_));
    }
    searched = buffer_.size();
    auto more = read_more();
    if (!more) return more.error();
    if (*more) continue;
    if (buffer_.empty()) return Found();
    return base::invalid(fmt::format("{}, line {}: the file ends within it", path_, line_ + 1));
  }
}

}  // namespace belay::store
