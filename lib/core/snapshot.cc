// Encodes and decodes a whole unfinished transaction: a checkpoint writes the snapshot, recovery
// reads it.
#include <string>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "core/codec.h"

namespace belay::core {
namespace {

constexpr std::uint8_t kSnapshotFormat = 2;
constexpr std::uint8_t kWithoutChecksum = 1;
// Flags in the same byte as the status and `driven`.
constexpr unsigned kRemembers = 1u << 4;
constexpr unsigned kConcluded = 1u << 5;
constexpr unsigned kStopped = 1u << 6;

void put_branch(std::string& out, const Branch& branch) {
  base::put_u8(out, static_cast<std::uint8_t>(static_cast<unsigned>(branch.first) |
                                              static_cast<unsigned>(branch.second) << 3 |
                                              static_cast<unsigned>(branch.parked) << 6));
  base::put_varint(out, branch.attempts_first);
  base::put_varint(out, branch.attempts_second);
  base::put_varint(out, branch.unanswered);
  base::put_varint(out, branch.due_at);
  base::put_string(out,
                   branch.last_error ? std::string_view(*branch.last_error) : std::string_view());
}

void read_branch(base::ByteReader& in, Branch& branch) {
  const auto packed = in.u8();
  if ((packed & 7) > 3 || (packed >> 3 & 7) > 3 || packed >> 7 != 0) in.fail();
  branch.first = static_cast<OpState>(packed & 3);
  branch.second = static_cast<OpState>(packed >> 3 & 3);
  branch.parked = (packed >> 6 & 1) != 0;
  if (branch.first == OpState::idle && branch.second != OpState::idle) in.fail();
  branch.attempts_first = in.varint32();
  branch.attempts_second = in.varint32();
  branch.unanswered = in.varint32();
  branch.due_at = in.varint();
  const auto error = in.string();
  if (!error.empty()) branch.last_error = std::make_unique<std::string>(error);
}

void read_remembered(base::ByteReader& in, Transaction& transaction) {
  const auto steps = in.string();
  auto remembered = remembered_from(steps, in.string());
  if (!remembered || transaction.mode() != Mode::workflow) return in.fail();
  transaction.remembered = std::make_unique<Remembered>(std::move(*remembered));
}

// The counters that `apply` keeps are computed again, so that they cannot disagree with the
// branches.
void count(Transaction& transaction) {
  const auto query = transaction.definition.query();
  for (std::uint32_t i = 0; i < transaction.branches.size(); ++i) {
    if (i == query) continue;
    const auto& branch = transaction.branches[i];
    transaction.begun += branch.first != OpState::idle ? 1 : 0;
    transaction.succeeded += branch.first == OpState::succeeded ? 1 : 0;
    transaction.second_done += branch.second == OpState::succeeded ? 1 : 0;
  }
}

Result<Transaction> decode(std::string_view content) {
  base::ByteReader in(content);
  Transaction transaction;
  transaction.id = in.varint();
  const auto packed = in.u8();
  if ((packed & 7) > static_cast<std::uint8_t>(Status::failed) || packed >> 7 != 0) in.fail();
  transaction.status = static_cast<Status>(packed & 7);
  transaction.driven = (packed >> 3 & 1) != 0;
  transaction.concluded = (packed & kConcluded) != 0;
  transaction.stopped = (packed & kStopped) != 0;
  transaction.created_at = in.varint();
  transaction.updated_at = transaction.created_at + static_cast<std::uint64_t>(in.signed_varint());
  transaction.start_at = transaction.created_at + static_cast<std::uint64_t>(in.signed_varint());
  auto definition = Definition::parse(in.string());
  if (!definition) return definition.error();
  transaction.definition = std::move(*definition);
  if (transaction.concluded && transaction.mode() != Mode::workflow) in.fail();
  BELAY_TRY(transaction.definition.restore_added(in.string()));
  transaction.timeline = in.string();
  const auto reason = in.string();
  if (!reason.empty()) transaction.reason = std::make_unique<std::string>(reason);
  transaction.branches.resize(transaction.definition.branch_count());
  for (auto& branch : transaction.branches) read_branch(in, branch);
  if ((packed & kRemembers) != 0) read_remembered(in, transaction);
  if (!in.ok() || !in.at_end()) return Error{ErrorCode::corrupt, "a snapshot that cannot be read"};
  count(transaction);
  return transaction;
}

}  // namespace

std::string encode_snapshot(const Transaction& transaction) {
  std::string out;
  out.reserve(transaction.definition.bytes().size() + transaction.timeline.size() + 64);
  base::put_u8(out, kSnapshotFormat);
  base::put_varint(out, transaction.id);
  base::put_u8(out, static_cast<std::uint8_t>(static_cast<unsigned>(transaction.status) |
                                              static_cast<unsigned>(transaction.driven) << 3 |
                                              (transaction.remembered ? kRemembers : 0u) |
                                              (transaction.concluded ? kConcluded : 0u) |
                                              (transaction.stopped ? kStopped : 0u)));
  base::put_varint(out, transaction.created_at);
  base::put_signed(out, static_cast<std::int64_t>(transaction.updated_at - transaction.created_at));
  base::put_signed(out, static_cast<std::int64_t>(transaction.start_at - transaction.created_at));
  base::put_string(out, transaction.definition.bytes());
  base::put_string(out, transaction.definition.added());
  base::put_string(out, transaction.timeline);
  base::put_string(out, turn_reason_of(transaction));
  for (const auto& branch : transaction.branches) put_branch(out, branch);
  if (transaction.remembered) {
    base::put_string(out, transaction.remembered->steps);
    base::put_string(out, transaction.remembered->result);
  }
  base::put_u32(out, base::crc32c(out));
  return out;
}

Result<Transaction> decode_snapshot(std::string_view bytes) {
  const auto format = bytes.empty() ? 0u : static_cast<std::uint8_t>(bytes.front());
  if (format == kWithoutChecksum) {
    auto transaction = decode(bytes.substr(1));
    if (transaction || transaction.error().code == ErrorCode::corrupt) return transaction;
    // A snapshot of this old format cannot contain a definition of a newer format.
    return Error{ErrorCode::corrupt, transaction.error().detail};
  }
  if (format != kSnapshotFormat) return newer_or_damaged("snapshot", bytes);
  if (!ends_with_checksum(bytes))
    return Error{ErrorCode::corrupt, "a snapshot whose checksum is wrong"};
  return decode(bytes.substr(1, bytes.size() - 1 - kChecksumBytes));
}

}  // namespace belay::core
