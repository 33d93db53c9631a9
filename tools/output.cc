#include "output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>

namespace belay::tool {
namespace {

constexpr std::size_t kBufferBytes = 64 * 1024;
constexpr std::size_t kBarCells = 30;

const char* escape_of(Style style) {
  switch (style) {
    case Style::plain: return "";
    case Style::bold: return "\x1b[1m";
    case Style::dim: return "\x1b[2m";
    case Style::good: return "\x1b[32m";
    case Style::warn: return "\x1b[33m";
    case Style::bad: return "\x1b[31m";
  }
  return "";
}

bool wants_colour() {
  const char* no_colour = std::getenv("NO_COLOR");
  if (no_colour != nullptr && *no_colour != '\0') return false;
  const char* term = std::getenv("TERM");
  return term != nullptr && std::string_view(term) != "dumb";
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string result;
  for (std::size_t i = 0; i < times; ++i) result += text;
  return result;
}

}  // namespace

Out::Out(int fd) : fd_(fd), terminal_(::isatty(fd) == 1), coloured_(terminal_ && wants_colour()) {}

void Out::write(std::string_view bytes) {
  if (error_ != 0) return;
  buffer_ += bytes;
  if (buffer_.size() >= kBufferBytes) flush();
}

void Out::json(const nlohmann::ordered_json& object) {
  write(json_text(object));
  write("\n");
}

bool Out::flush() {
  std::string_view rest = buffer_;
  while (error_ == 0 && !rest.empty()) {
    const auto written = ::write(fd_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0)
      error_ = errno;
    else
      rest.remove_prefix(static_cast<std::size_t>(written));
  }
  buffer_.clear();
  return error_ == 0;
}

std::size_t Out::columns() const {
  winsize size{};
  if (terminal_ && ::ioctl(fd_, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return std::numeric_limits<std::size_t>::max();
}

std::string Out::styled(std::string_view text, Style style) const {
  if (!coloured_ || style == Style::plain || text.empty()) return std::string(text);
  return fmt::format("{}{}\x1b[0m", escape_of(style), text);
}

void Progress::show(unsigned percent, std::string_view note) {
  if (!out_.terminal()) return;
  percent = std::min(percent, 100u);
  const std::size_t full = percent * kBarCells / 100;
  const bool fancy = out_.coloured();
  const auto rest = out_.styled(repeated(fancy ? "━" : ".", kBarCells - full), Style::dim);
  auto line =
      fmt::format("{} {}{} {:3}%", label_, repeated(fancy ? "━" : "#", full), rest, percent);
  const auto used = display_width(label_) + kBarCells + 6;
  const auto limit = out_.columns();
  if (!note.empty() && limit > used + 10) {
    line += "  " + fitted(printable(note), limit - used - 3);
  }
  if (line == shown_) return;
  shown_ = line;
  out_.write("\r" + line + "\x1b[K");
  out_.flush();
}

void Progress::clear() {
  if (shown_.empty()) return;
  out_.write("\r\x1b[K");
  out_.flush();
  shown_.clear();
}

Style style_of(Status status) {
  switch (status) {
    case Status::succeed: return Style::good;
    case Status::failed: return Style::dim;
    case Status::aborting: return Style::warn;
    case Status::prepared:
    case Status::submitted: return Style::plain;
  }
  return Style::plain;
}

}  // namespace belay::tool
