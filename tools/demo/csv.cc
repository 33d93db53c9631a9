#include "demo/csv.h"

namespace belay::demo {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kBlanks = " \t";

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(kBlanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// Reads the quoted field that `line` begins with and leaves what follows it.
bool take_quoted(std::string_view& line, CsvRow& row) {
  std::string field;
  std::size_t at = 1;
  for (; at < line.size(); ++at) {
    if (line[at] != '"') {
      field += line[at];
    } else if (at + 1 < line.size() && line[at + 1] == '"') {
      field += line[at++];
    } else {
      break;
    }
  }
  if (at >= line.size()) {
    row.problem = "a quoted field does not end on its line";
    return false;
  }
  line = trimmed(line.substr(at + 1));
  if (!line.empty() && line.front() != ',') {
    row.problem = "text after a quoted field: double the quotes inside it";
    return false;
  }
  row.fields.push_back(std::move(field));
  return true;
}

void take_plain(std::string_view& line, CsvRow& row) {
  const auto field = line.substr(0, line.find(','));
  line.remove_prefix(field.size());
  row.fields.emplace_back(trimmed(field));
}

CsvRow split(std::string_view line, std::size_t number) {
  CsvRow row{number, {}, {}};
  if (!is_utf8(line)) {
    row.problem = "not UTF-8 text";
    return row;
  }
  for (;;) {
    line = trimmed(line);
    if (!line.empty() && line.front() == '"') {
      if (!take_quoted(line, row)) return row;
    } else {
      take_plain(line, row);
    }
    if (line.empty()) return row;
    line.remove_prefix(1);  // the comma
  }
}

// How many bytes the sequence has that begins with `lead`; 0 if none does.
std::size_t sequence_size(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead < 0xE0) return 2;
  if (lead >= 0xE0 && lead < 0xF0) return 3;
  return lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
}

}  // namespace

CsvReader::CsvReader(std::string_view text) : rest_(text) {
  if (rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
}

std::optional<CsvRow> CsvReader::next() {
  while (!rest_.empty()) {
    const auto end = rest_.find('\n');
    auto line = rest_.substr(0, end);
    rest_.remove_prefix(end == rest_.npos ? rest_.size() : end + 1);
    ++line_;
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto content = trimmed(line);
    if (!content.empty() && content.front() != '#') return split(line, line_);
  }
  return std::nullopt;
}

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const auto size = sequence_size(lead);
    if (size == 0 || at + size > text.size()) return false;
    unsigned value = size == 1 ? lead : lead & (0x7Fu >> size);
    for (std::size_t i = 1; i < size; ++i) {
      const auto byte = static_cast<unsigned char>(text[at + i]);
      if ((byte & 0xC0u) != 0x80u) return false;
      value = value << 6u | (byte & 0x3Fu);
    }
    const bool overlong = (size == 3 && value < 0x800) || (size == 4 && value < 0x10000);
    if (overlong || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return false;
    at += size;
  }
  return true;
}

}  // namespace belay::demo
