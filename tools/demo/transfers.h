// The file of transfers: what a row says, and which rows cannot be meant. The format stands in
// tools/examples/README.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "belay/result.h"
#include "demo/bank.h"

namespace belay::demo {

// "1,234.50", "-3.00".
std::string money(std::int64_t cents);
// "1234.5", "1234.50" or "1234"; more decimals, signs, separators and all else are refused. No
// upper bound but 15 digits.
std::optional<std::int64_t> parse_cents(std::string_view text);

struct CsvRow {
  std::size_t line = 0;  // from 1
  std::vector<std::string> fields;
  std::string problem;  // why it cannot be read; empty if it can
};

// Comma-separated text, a row a line: quotes, CRLF, a byte-order mark, empty lines and # comments.
// A field holds no line break, so that one forgotten quote costs one row and not the rest of the
// file.
class CsvReader {
 public:
  // `text` must live as long as the reader.
  explicit CsvReader(std::string_view text);
  // The next row that is neither empty nor a comment.
  std::optional<CsvRow> next();

 private:
  std::string_view rest_;
  std::size_t line_ = 0;
};

struct Place {
  BankId bank{};
  std::int64_t account = 0;
};

struct Transfer {
  std::string id;
  Place from;
  Place to;
  std::int64_t cents = 0;
  std::string memo;
};

struct BadRow {
  std::size_t line = 0;
  std::string problem;
};

struct TransferFile {
  std::vector<Transfer> transfers;
  std::vector<BadRow> bad_rows;  // the first of them
  std::size_t bad_count = 0;     // all
  std::size_t left_out = 0;      // fine ones that are not to be run
};

constexpr std::size_t kBadRowsKept = 10;

// Never fails: what cannot be read is a bad row.
TransferFile parse_transfers(std::string_view text);
// Errors: not_found, invalid_argument (a directory, too large, no text at all), each naming the
// file.
Result<TransferFile> read_transfers(const std::string& path);

// The row's own name, so that a file that is handed in again runs nothing twice.
inline std::string gid_of(const Transfer& transfer) { return "transfer-" + transfer.id; }

}  // namespace belay::demo
