#include "http_text.h"

#include <charconv>

namespace belay::bench {
namespace {

constexpr std::size_t kHeadBytesMax = 16 * 1024;
constexpr std::size_t kBodyBytesMax = 16 * 1024 * 1024;
constexpr std::string_view kLength = "content-length:";

bool begins_with(std::string_view line, std::string_view lower) {
  if (line.size() < lower.size()) return false;
  for (std::size_t i = 0; i < lower.size(); ++i) {
    const char c = line[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c) != lower[i]) return false;
  }
  return true;
}

// The content length in the lines of the head; 0 if there is none, nothing if it is invalid.
std::optional<std::size_t> content_length(std::string_view head) {
  for (std::size_t at = 0; at < head.size();) {
    const auto end = head.find("\r\n", at);
    auto line = head.substr(at, end - at);
    at = end == head.npos ? head.size() : end + 2;
    if (!begins_with(line, kLength)) continue;
    line.remove_prefix(kLength.size());
    while (line.starts_with(' ')) line.remove_prefix(1);
    std::size_t length = 0;
    const auto parsed = std::from_chars(line.data(), line.data() + line.size(), length);
    if (parsed.ec != std::errc{} || length > kBodyBytesMax) return std::nullopt;
    return length;
  }
  return 0;
}

}  // namespace

std::string_view HttpMessage::word(std::size_t index) const {
  auto rest = start_line;
  for (; index > 0; --index) {
    const auto space = rest.find(' ');
    if (space == rest.npos) return {};
    rest.remove_prefix(space + 1);
  }
  return rest.substr(0, rest.find(' '));
}

HttpRead read_message(std::string_view bytes, HttpMessage& message) {
  const auto end = bytes.find("\r\n\r\n");
  if (end == bytes.npos) return bytes.size() > kHeadBytesMax ? HttpRead::broken : HttpRead::partly;
  const auto head = bytes.substr(0, end);
  const auto first = head.find("\r\n");
  const auto length =
      content_length(first == head.npos ? std::string_view() : head.substr(first + 2));
  if (!length) return HttpRead::broken;
  message.bytes = end + 4 + *length;
  if (bytes.size() < message.bytes) return HttpRead::partly;
  message.start_line = head.substr(0, first);
  message.body = bytes.substr(end + 4, *length);
  return HttpRead::whole;
}

std::string_view query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto part = query.substr(0, end);
    if (part.starts_with(name) && part.size() > name.size() && part[name.size()] == '=') {
      return part.substr(name.size() + 1);
    }
    query.remove_prefix(end == query.npos ? query.size() : end + 1);
  }
  return {};
}

}  // namespace belay::bench
