#include "demo/transfers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <unordered_map>

#include "demo/csv.h"
#include "demo/money.h"
#include "demo/payload.h"

namespace belay::demo {
namespace {

constexpr std::array<std::string_view, 7> kColumns = {
    "id", "from_bank", "from_account", "to_bank", "to_account", "amount", "memo"};
constexpr std::size_t kMemoColumn = 6;              // the last, and it may be left out
constexpr std::size_t kFileBytesMax = 256u << 20u;  // five million rows; all are held in memory
constexpr std::size_t kIdBytesMax = 64;
constexpr std::size_t kMemoBytesMax = 200;
constexpr std::size_t kAccountDigitsMax = 9;
constexpr std::size_t kShownBytesMax = 40;
constexpr Millis kBackCheckAfter{5'000};  // soon, for a demo; much later than a debit takes

std::string lower(std::string_view text) {
  std::string result(text);
  for (auto& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

std::string shown(std::string_view text) {
  if (text.size() <= kShownBytesMax) return fmt::format("'{}'", text);
  return fmt::format("'{}…'", text.substr(0, kShownBytesMax));
}

bool is_header(const CsvRow& row) {
  if (row.fields.size() < kMemoColumn || row.fields.size() > kColumns.size()) return false;
  for (std::size_t i = 0; i < row.fields.size(); ++i) {
    if (lower(row.fields[i]) != kColumns[i]) return false;
  }
  return true;
}

// Reads one row's fields; the first that is wrong is named in `problem`.
struct RowParser {
  const CsvRow& row;
  std::string problem = {};

  void complain(std::string what) {
    if (problem.empty()) problem = std::move(what);
  }
  const std::string& field(std::size_t column) const { return row.fields[column]; }

  std::string id() {
    const auto& text = field(0);
    const bool fine = std::all_of(text.begin(), text.end(), [](unsigned char c) {
      return c < 0x80 && (std::isalnum(c) != 0 || std::strchr("._-", c) != nullptr);
    });
    if (text.empty() || text.size() > kIdBytesMax || !fine) {
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
    const bool digits =
        std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (text.empty() || text.size() > kAccountDigitsMax || !digits) {
      complain(fmt::format("{} {} is not a number of 1 to {} digits", kColumns[column], shown(text),
                           kAccountDigitsMax));
      return 0;
    }
    return std::stoll(text);
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

  std::optional<Transfer> parse() {
    problem = row.problem;
    if (!problem.empty()) return std::nullopt;
    if (row.fields.size() < kMemoColumn || row.fields.size() > kColumns.size()) {
      const bool semicolons = row.fields.size() == 1 && field(0).find(';') != std::string::npos;
      complain(fmt::format("{} {} where {} or {} are expected{}", row.fields.size(),
                           row.fields.size() == 1 ? "field" : "fields", kMemoColumn,
                           kColumns.size(), semicolons ? ": separate them by commas" : ""));
      return std::nullopt;
    }
    Transfer transfer{id(), {bank(1), account(2)}, {bank(3), account(4)}, amount(), memo()};
    if (transfer.from.bank == transfer.to.bank) complain("both accounts are in the same bank");
    if (!problem.empty()) return std::nullopt;
    return transfer;
  }
};

void add_bad(TransferFile& file, std::size_t line, std::string problem) {
  if (file.bad_count++ < kBadRowsKept) file.bad_rows.push_back({line, std::move(problem)});
}

}  // namespace

TransferFile parse_transfers(std::string_view text) {
  TransferFile file;
  std::unordered_map<std::string, std::size_t> lines;  // id → its line
  CsvReader reader(text);
  bool first = true;
  while (const auto row = reader.next()) {
    const bool header = first && is_header(*row);
    first = false;
    if (header) continue;
    RowParser parser{*row};
    auto transfer = parser.parse();
    if (!transfer) {
      add_bad(file, row->line, std::move(parser.problem));
      continue;
    }
    const auto [place, fresh] = lines.emplace(transfer->id, row->line);
    if (!fresh) {
      add_bad(file, row->line,
              fmt::format("id {} stands on line {} already", shown(transfer->id), place->second));
      continue;
    }
    file.transfers.push_back(std::move(*transfer));
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

std::string gid_of(const Transfer& transfer) { return "transfer-" + transfer.id; }

Saga saga_of(const Transfer& transfer, const Doors& doors) {
  const auto &from = transfer.from, &to = transfer.to;
  Saga saga(gid_of(transfer));
  saga.step(doors.to(from.bank, "debit"), doors.to(from.bank, "undo_debit"),
            payload_of(from.account, transfer.cents));
  saga.step(doors.to(to.bank, "credit"), doors.to(to.bank, "undo_credit"),
            payload_of(to.account, transfer.cents));
  saga.custom_data(transfer.memo);
  return saga;
}

// In order, so that a transfer that both banks would refuse is always refused for the same reason.
Tcc tcc_of(const Transfer& transfer, const Doors& doors) {
  const auto &from = transfer.from, &to = transfer.to;
  Tcc tcc(gid_of(transfer));
  tcc.in_order().custom_data(transfer.memo);
  tcc.branch(doors.to(from.bank, "try_debit"), doors.to(from.bank, "confirm_debit"),
             doors.to(from.bank, "cancel_debit"), payload_of(from.account, transfer.cents));
  tcc.branch(doors.to(to.bank, "try_credit"), doors.to(to.bank, "confirm_credit"),
             doors.to(to.bank, "cancel_credit"), payload_of(to.account, transfer.cents));
  return tcc;
}

Msg msg_of(const Transfer& transfer, const Doors& doors) {
  Msg msg(gid_of(transfer));
  msg.to(doors.to(transfer.to.bank, "receive"), payload_of(transfer.to.account, transfer.cents));
  msg.query(doors.to(transfer.from.bank, kBackCheck));
  msg.timeout_to_fail(kBackCheckAfter).custom_data(transfer.memo);
  return msg;
}

Leg own_debit_of(const Transfer& transfer) {
  return {gid_of(transfer),      std::string(kOwnBranch), Op::action, Side::debit,
          transfer.from.account, transfer.cents,          Mode::msg};
}

}  // namespace belay::demo
