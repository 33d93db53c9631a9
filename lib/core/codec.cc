#include "core/codec.h"

#include <fmt/format.h>

#include <string>

#include "base/bytes.h"
#include "base/crc32c.h"

namespace belay::core {
namespace {

constexpr std::uint8_t kBatchFormat = 1;

// One byte holds an operation and an outcome.
std::uint8_t pack(Op op, OutcomeKind outcome) {
  return static_cast<std::uint8_t>(static_cast<unsigned>(op) << 3 | static_cast<unsigned>(outcome));
}

bool unpack(std::uint8_t byte, Record& record) {
  if ((byte & 7) > static_cast<std::uint8_t>(OutcomeKind::unknown) ||
      (byte >> 3) > static_cast<std::uint8_t>(Op::query)) {
    return false;
  }
  record.op = static_cast<Op>(byte >> 3);
  record.outcome = static_cast<OutcomeKind>(byte & 7);
  const bool ended = record.outcome <= OutcomeKind::failure;
  return record.kind == RecordKind::answered || (record.kind == RecordKind::resolved && ended) ||
         record.outcome == OutcomeKind::success;  // other kinds have no outcome
}

// Skips a record's body, after its head. False: the body is damaged, or the kind is unknown.
bool skip_body(base::ByteReader& in, RecordKind kind) {
  switch (kind) {
    case RecordKind::answered:
      in.varint();
      in.u8();
      in.varint();
      in.string();
      return in.ok();
    case RecordKind::started:
      in.varint();
      in.u8();
      return in.ok();
    case RecordKind::scheduled:
      in.varint();
      in.u8();
      in.varint();
      return in.ok();
    case RecordKind::parked:
    case RecordKind::hastened:
    case RecordKind::edited:
    case RecordKind::resolved:
      in.varint();
      in.u8();
      in.string();
      return in.ok();
    case RecordKind::finished: in.u8(); return in.ok();
    case RecordKind::committing: in.varint(); return in.ok();
    case RecordKind::submitted:
    case RecordKind::prepared:
    case RecordKind::added:
    case RecordKind::stopped:
    case RecordKind::progressed:
    case RecordKind::concluded:
    case RecordKind::aborting: in.string(); return in.ok();
  }
  return false;
}

Error corrupt(std::string detail) { return {ErrorCode::corrupt, std::move(detail)}; }

}  // namespace

bool ends_with_checksum(std::string_view bytes) {
  if (bytes.size() <= kChecksumBytes) return false;
  const auto covered = bytes.substr(0, bytes.size() - kChecksumBytes);
  base::ByteReader in(bytes.substr(covered.size()));
  return base::crc32c(covered) == in.u32();
}

Error newer_or_damaged(std::string_view what, std::string_view bytes) {
  if (!ends_with_checksum(bytes)) return corrupt(fmt::format("a {} of no known format", what));
  const unsigned format = static_cast<std::uint8_t>(bytes.front());
  return {ErrorCode::unsupported, fmt::format("{} format {}", what, format)};
}

void BatchWriter::add(const Record& record) {
  if (count_++ == 0) base_at_ = record.at;
  base::put_u8(body_, static_cast<std::uint8_t>(record.kind));
  base::put_signed(body_, static_cast<std::int64_t>(record.id - last_id_));
  base::put_signed(body_, static_cast<std::int64_t>(record.at - base_at_));
  last_id_ = record.id;
  switch (record.kind) {
    case RecordKind::submitted:
    case RecordKind::prepared:
    case RecordKind::added:
    case RecordKind::stopped:
    case RecordKind::progressed:
    case RecordKind::concluded:
    case RecordKind::aborting: base::put_string(body_, record.text); break;
    case RecordKind::committing: base::put_varint(body_, record.due_at); break;
    case RecordKind::started:
      base::put_varint(body_, record.branch);
      base::put_u8(body_, pack(record.op, OutcomeKind::success));
      break;
    case RecordKind::answered:
      base::put_varint(body_, record.branch);
      base::put_u8(body_, pack(record.op, record.outcome));
      base::put_varint(body_, record.due_at);
      base::put_string(body_, record.text);
      break;
    case RecordKind::parked:
    case RecordKind::hastened:
    case RecordKind::edited:
      base::put_varint(body_, record.branch);
      base::put_u8(body_, pack(record.op, OutcomeKind::success));
      base::put_string(body_, record.text);
      break;
    case RecordKind::resolved:
      base::put_varint(body_, record.branch);
      base::put_u8(body_, pack(record.op, record.outcome));
      base::put_string(body_, record.text);
      break;
    case RecordKind::finished: base::put_u8(body_, static_cast<std::uint8_t>(record.status)); break;
    case RecordKind::scheduled:
      base::put_varint(body_, record.branch);
      base::put_u8(body_, pack(record.op, OutcomeKind::success));
      base::put_varint(body_, record.due_at);
      break;
  }
}

std::string BatchWriter::take() {
  std::string checked;
  checked.reserve(body_.size() + 32);
  base::put_u8(checked, kBatchFormat);
  base::put_varint(checked, count_);
  const auto crc_at = checked.size();
  base::put_u32(checked, 0);
  base::put_varint(checked, base_at_);
  checked.append(body_);
  std::string crc;
  base::put_u32(crc, base::crc32c(std::string_view(checked).substr(crc_at + 4)));
  checked.replace(crc_at, 4, crc);
  body_.clear();
  count_ = 0;
  last_id_ = 0;
  return checked;
}

Result<BatchReader> BatchReader::open(std::string_view bytes) {
  base::ByteReader in(bytes);
  const auto format = in.u8();
  if (in.ok() && format != kBatchFormat) return newer_or_damaged("batch", bytes);
  BatchReader reader;
  reader.count_ = in.varint32();
  const auto crc = in.u32();
  if (!in.ok()) return corrupt("a batch cut short");
  if (base::crc32c(in.rest()) != crc) return corrupt("a batch whose checksum is wrong");
  reader.base_at_ = in.varint();
  reader.rest_ = in.rest();
  if (!in.ok()) return corrupt("a batch cut short");
  return reader;
}

Result<std::optional<Record>> BatchReader::next() {
  if (read_ == count_) {
    if (!rest_.empty()) return corrupt("bytes behind the last record");
    return std::optional<Record>();
  }
  base::ByteReader in(rest_);
  Record record;
  const auto kind = in.u8();
  record.kind = static_cast<RecordKind>(kind);
  record.id = last_id_ + static_cast<std::uint64_t>(in.signed_varint());
  record.at = base_at_ + static_cast<std::uint64_t>(in.signed_varint());
  switch (record.kind) {
    case RecordKind::submitted:
    case RecordKind::prepared:
    case RecordKind::added:
    case RecordKind::stopped:
    case RecordKind::progressed:
    case RecordKind::concluded:
    case RecordKind::aborting: record.text = in.string(); break;
    case RecordKind::committing: record.due_at = in.varint(); break;
    case RecordKind::started:
      record.branch = in.varint32();
      if (!unpack(in.u8(), record)) in.fail();
      break;
    case RecordKind::answered:
      record.branch = in.varint32();
      if (!unpack(in.u8(), record)) in.fail();
      record.due_at = in.varint();
      record.text = in.string();
      break;
    case RecordKind::parked:
    case RecordKind::hastened:
    case RecordKind::edited:
    case RecordKind::resolved:
      record.branch = in.varint32();
      if (!unpack(in.u8(), record)) in.fail();
      record.text = in.string();
      break;
    case RecordKind::finished: {
      const auto status = in.u8();
      if (status > static_cast<std::uint8_t>(Status::failed)) in.fail();
      record.status = static_cast<Status>(status);
      break;
    }
    case RecordKind::scheduled:
      record.branch = in.varint32();
      if (!unpack(in.u8(), record)) in.fail();
      record.due_at = in.varint();
      break;
    default:
      if (in.ok()) return Error{ErrorCode::unsupported, "record kind " + std::to_string(kind)};
  }
  if (!in.ok()) return corrupt("a record that cannot be read");
  last_id_ = record.id;
  rest_ = in.rest();
  ++read_;
  return std::optional<Record>(record);
}

Result<std::optional<Record>> BatchReader::next_of(TransactionId id) {
  base::ByteReader in(rest_);
  while (read_ < count_) {
    const auto kind = static_cast<RecordKind>(in.u8());
    const auto of = last_id_ + static_cast<std::uint64_t>(in.signed_varint());
    if (of == id || begins(kind)) break;
    in.varint();                      // the time
    if (!skip_body(in, kind)) break;  // `next` reports the problem
    last_id_ = of;
    rest_ = in.rest();
    ++read_;
  }
  return next();
}

}  // namespace belay::core
