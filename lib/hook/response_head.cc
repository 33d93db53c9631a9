#include "hook/response_head.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "base/ascii.h"
#include "base/number.h"
#include "hook/http_date.h"

namespace belay::hook {
namespace {

// Charsets in which the letters of the protocol's words have the same bytes as in ASCII. The names
// are written without "-" and "_".
constexpr std::array<std::string_view, 22> kCharsets = {
    "utf8",    "usascii", "ascii",     "latin1",     "koi8r",  "koi8u",  "gb2312", "gbk",
    "gb18030", "big5",    "big5hkscs", "euccn",      "eucjp",  "euckr",  "euctw",  "shiftjis",
    "sjis",    "tis620",  "macintosh", "windows874", "cp1251", "cp1252",
};
constexpr std::array<std::string_view, 2> kCharsetFamilies = {"iso8859", "windows125"};

bool is_ascii_like(std::string_view charset) {
  auto name = base::lower(charset);
  std::erase_if(name, [](char c) { return c == '-' || c == '_'; });
  return std::find(kCharsets.begin(), kCharsets.end(), name) != kCharsets.end() ||
         std::any_of(kCharsetFamilies.begin(), kCharsetFamilies.end(),
                     [&](auto family) { return name.starts_with(family); });
}

// Removes and returns the next item of a list.
std::string_view next(std::string_view& list, char separator) {
  const auto end = std::min(list.find(separator), list.size());
  const auto item = base::trimmed(list.substr(0, end));
  list.remove_prefix(std::min(end + 1, list.size()));
  return item;
}

// The first charset in a Content-Type that is not ASCII-like.
std::optional<std::string> strange_charset(std::string_view type) {
  while (!type.empty()) {
    const auto parameter = next(type, ';');
    const auto name = base::trimmed(parameter.substr(0, parameter.find('=')));
    if (name.size() == parameter.size() || !base::equal_ignoring_case(name, "charset")) continue;
    auto value = base::trimmed(parameter.substr(parameter.find('=') + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
      value = value.substr(1, value.size() - 2);
    if (!is_ascii_like(value)) return std::string(value);
  }
  return std::nullopt;
}

void add(std::string& list, std::string_view value, std::string_view separator) {
  if (!list.empty()) list += separator;
  list += value;
}

}  // namespace

void ResponseHead::begin() {
  for (auto* text : {&line_, &encoding_, &transfer_, &type_, &retry_after_, &date_}) text->clear();
}

void ResponseHead::take(std::string_view line) {
  // A line that begins with a blank continues the line before it.
  if (line.starts_with(' ') || line.starts_with('\t')) {
    if (!line_.empty()) line_ += line;
    return;
  }
  end_line();
  if (line.starts_with("HTTP/")) return begin();
  const auto name = base::trimmed(line.substr(0, line.find(':')));
  for (const auto* known :
       {"content-encoding", "content-type", "transfer-encoding", "retry-after", "date"}) {
    if (base::equal_ignoring_case(name, known)) line_ = line;
  }
}

void ResponseHead::end_line() {
  if (line_.empty()) return;
  const auto colon = std::min(line_.find(':'), line_.size() - 1);
  const auto value = base::trimmed(std::string_view(line_).substr(colon + 1));
  switch (base::trimmed(std::string_view(line_).substr(0, colon)).size()) {
    case std::string_view("content-encoding").size(): add(encoding_, value, ","); break;
    case std::string_view("content-type").size(): add(type_, value, ";"); break;
    case std::string_view("transfer-encoding").size(): add(transfer_, value, ","); break;
    case std::string_view("retry-after").size(): add(retry_after_, value, ","); break;
    default: add(date_, value, ","); break;
  }
  line_.clear();
}

std::optional<Packing> ResponseHead::packing() const {
  auto packing = Packing::none;
  for (std::string_view list = encoding_; !list.empty();) {
    const auto coding = base::lower(next(list, ','));
    // Some servers name the charset of the body in this header.
    if (coding.empty() || coding == "identity" || is_ascii_like(coding)) continue;
    if (packing != Packing::none) return std::nullopt;
    if (coding == "gzip" || coding == "x-gzip") {
      packing = Packing::gzip;
    } else if (coding == "deflate") {
      packing = Packing::deflate;
    } else {
      return std::nullopt;
    }
  }
  return packing;
}

std::optional<Millis> ResponseHead::retry_after() const {
  if (const auto seconds = base::parse_number<std::uint32_t>(retry_after_))
    return std::chrono::seconds(*seconds);
  const auto until = parse_http_date(retry_after_);
  const auto now = parse_http_date(date_);
  if (!until || !now) return std::nullopt;
  return *until - *now;
}

std::string ResponseHead::flaw() const {
  if (!packing()) return "its Content-Encoding '" + encoding_ + "' cannot be undone";
  for (std::string_view list = transfer_; !list.empty();) {
    const auto coding = base::lower(next(list, ','));
    if (!coding.empty() && coding != "chunked" && coding != "identity")
      return "its Transfer-Encoding '" + transfer_ + "' cannot be undone";
  }
  if (const auto charset = strange_charset(type_))
    return "its charset '" + *charset + "' is not like ASCII";
  return {};
}

}  // namespace belay::hook
