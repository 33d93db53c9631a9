#include "demo/transfers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <unordered_map>

#include "base/utf8.h"

namespace belay::demo {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kBlanks = " \t";
constexpr std::array<std::string_view, 7> kColumns = {
    "id", "from_bank", "from_account", "to_bank", "to_account", "amount", "memo"};
constexpr std::size_t kMemoColumn = 6;              // the last, and it may be left out
constexpr std::size_t kFileBytesMax = 256u << 20u;  // five million rows; all are held in memory
constexpr std::size_t kIdBytesMax = 64;
constexpr std::size_t kMemoBytesMax = 200;
constexpr std::size_t kAccountDigitsMax = 9;
constexpr std::size_t kShownBytesMax = 40;
constexpr std::size_t kAmountDigitsMax = 15;
// One transfer's most: a thousand million. A million of them still add up in 64 bits.
constexpr std::int64_t kAmountCentsMax = 100'000'000'000;

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(kBlanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// Takes the quoted field that `line` begins with, and the blanks after it.
bool take_quoted(std::string_view& line, CsvRow& row) {
  std::string field;
  std::size_t at = 1;
  for (; at < line.size(); ++at) {
    const bool doubled = line.substr(at).starts_with("\"\"");
    if (line[at] == '"' && !doubled) break;
    field += line[at];
    at += doubled ? 1 : 0;
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

CsvRow split(std::string_view line, std::size_t number) {
  CsvRow row{number, {}, {}};
  if (!base::is_text(line)) {
    row.problem = "not UTF-8 text";
    return row;
  }
  for (;;) {
    line = trimmed(line);
    if (line.starts_with('"')) {
      if (!take_quoted(line, row)) return row;
    } else {
      const auto field = line.substr(0, line.find(','));
      line.remove_prefix(field.size());
      row.fields.emplace_back(trimmed(field));
    }
    if (line.empty()) return row;
    line.remove_prefix(1);  // the comma
  }
}

bool is_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (auto& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

std::string shown(std::string_view text) {
  if (text.size() <= kShownBytesMax) return fmt::format("'{}'", text);
  return fmt::format("'{}…'", text.substr(0, kShownBytesMax));
}

bool has_all_columns(const CsvRow& row) {
  return row.fields.size() >= kMemoColumn && row.fields.size() <= kColumns.size();
}

bool is_header(const CsvRow& row) {
  return has_all_columns(row) &&
         std::equal(row.fields.begin(), row.fields.end(), kColumns.begin(),
                    [](const auto& field, auto column) { return lower(field) == column; });
}

// Reads one row's fields; the first that is wrong is named in `problem`.
struct RowParser {
  const CsvRow& row;
  std::string problem = row.problem;

  void complain(std::string what) {
    if (problem.empty()) problem = std::move(what);
  }
  const std::string& field(std::size_t column) const { return row.fields[column]; }

  std::string id() {
    const auto& text = field(0);
    if (text.empty() || text.size() > kIdBytesMax || !is_plain(text)) {
      complain(fmt::format("id {} is not 1 to {} letters, digits, dots, dashes or underscores",
                           shown(text), kIdBytesMax));
    }
    return text;
  }
  BankId bank(std::size_t column) {
    const auto name = lower(field(column));
    if (name == "a") return BankId::a;
    if (name != "b")
      complain(fmt::format("{} {} is not a or b", kColumns[column], shown(field(column))));
    return BankId::b;
  }
  std::int64_t account(std::size_t column) {
    const auto& text = field(column);
    if (!text.empty() && text.size() <= kAccountDigitsMax && is_digits(text)) {
      return std::stoll(text);
    }
    complain(fmt::format("{} {} is not a number of 1 to {} digits", kColumns[column], shown(text),
                         kAccountDigitsMax));
    return 0;
  }
  std::int64_t amount() {
    const auto& text = field(5);
    const auto cents = parse_cents(text);
    if (!cents) {
      const bool negative = text.starts_with('-') && parse_cents(std::string_view(text).substr(1));
      complain(fmt::format("amount {} is {}", shown(text),
                           negative ? "negative" : "not a number such as 12 or 12.50"));
    } else if (*cents == 0) {
      complain("amount is nothing");
    } else if (*cents > kAmountCentsMax) {
      complain(fmt::format("amount {} is more than {}", shown(text), money(kAmountCentsMax)));
    }
    return cents.value_or(0);
  }
  std::string memo() {
    if (row.fields.size() <= kMemoColumn) return {};
    if (field(kMemoColumn).size() > kMemoBytesMax) {
      complain(fmt::format("memo is longer than {} bytes", kMemoBytesMax));
    }
    return field(kMemoColumn);
  }

  // Means something only if there is no problem.
  Transfer parse() {
    if (!problem.empty()) return {};
    if (!has_all_columns(row)) {
      const bool semicolons = row.fields.size() == 1 && field(0).find(';') != std::string::npos;
      complain(fmt::format("{} {} where {} or {} are expected{}", row.fields.size(),
                           row.fields.size() == 1 ? "field" : "fields", kMemoColumn,
                           kColumns.size(), semicolons ? ": separate them by commas" : ""));
      return {};
    }
    Transfer transfer{id(), {bank(1), account(2)}, {bank(3), account(4)}, amount(), memo()};
    if (transfer.from.bank == transfer.to.bank) complain("both accounts are in the same bank");
    return transfer;
  }
};

}  // namespace

std::string money(std::int64_t cents) {
  const bool negative = cents < 0;
  const auto size =
      negative ? 0 - static_cast<std::uint64_t>(cents) : static_cast<std::uint64_t>(cents);
  std::string whole = std::to_string(size / 100);
  for (auto at = static_cast<std::ptrdiff_t>(whole.size()) - 3; at > 0; at -= 3) {
    whole.insert(static_cast<std::size_t>(at), ",");
  }
  return fmt::format("{}{}.{:02}", negative ? "-" : "", whole, size % 100);
}

std::optional<std::int64_t> parse_cents(std::string_view text) {
  const auto point = text.find('.');
  const auto whole = text.substr(0, point);
  const auto rest = point == text.npos ? "00" : text.substr(point + 1);
  if (whole.empty() || whole.size() > kAmountDigitsMax || !is_digits(whole)) return std::nullopt;
  if (rest.empty() || rest.size() > 2 || !is_digits(rest)) return std::nullopt;
  const auto hundredths = std::stoll(std::string(rest)) * (rest.size() == 1 ? 10 : 1);
  return std::stoll(std::string(whole)) * 100 + hundredths;
}

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

TransferFile parse_transfers(std::string_view text) {
  TransferFile file;
  std::unordered_map<std::string, std::size_t> lines;  // id → its line
  CsvReader reader(text);
  bool first = true;
  while (const auto row = reader.next()) {
    const bool header = std::exchange(first, false) && is_header(*row);
    if (header) continue;
    RowParser parser{*row};
    auto transfer = parser.parse();
    if (parser.problem.empty()) {
      const auto [place, fresh] = lines.emplace(transfer.id, row->line);
      if (!fresh) {
        parser.complain(
            fmt::format("id {} stands on line {} already", shown(transfer.id), place->second));
      }
    }
    if (parser.problem.empty()) {
      file.transfers.push_back(std::move(transfer));
    } else if (file.bad_count++ < kBadRowsKept) {
      file.bad_rows.push_back({row->line, std::move(parser.problem)});
    }
  }
  return file;
}

Result<TransferFile> read_transfers(const std::string& path) {
  const auto refused = [&path](ErrorCode code, std::string_view why) {
    return Error{code, fmt::format("cannot read {}: {}", path, why)};
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  if (!file) {
    const auto code = errno == ENOENT ? ErrorCode::not_found : ErrorCode::invalid_argument;
    return refused(code, std::strerror(errno));
  }
  std::string text;
  std::array<char, 65'536> chunk;
  while (const auto got = std::fread(chunk.data(), 1, chunk.size(), file.get())) {
    text.append(chunk.data(), got);
    if (text.size() > kFileBytesMax) {
      return refused(ErrorCode::invalid_argument,
                     fmt::format("it is larger than {} MiB", kFileBytesMax >> 20u));
    }
  }
  if (std::ferror(file.get()) != 0) {
    return refused(ErrorCode::invalid_argument, std::strerror(errno));
  }
  if (text.find('\0') != text.npos) {
    return refused(ErrorCode::invalid_argument, "it is not UTF-8 text");  // UTF-16, a spreadsheet
  }
  return parse_transfers(text);
}

}  // namespace belay::demo
