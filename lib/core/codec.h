// Records and snapshots as bytes. A batch is: format (1 byte), record count (varint), CRC-32C of
// the rest (4 bytes, little endian), base time (varint, ms), then the records. A snapshot is:
// format (1 byte), content, CRC-32C of all before it (4 bytes); in format 1 there is no checksum.
// Unknown formats and kinds are refused, never skipped.
//
// Whatever the format of a later version, its last four bytes are the CRC-32C of all before them.
// So a flipped bit in the first byte is damage, and not a newer version's work.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "belay/result.h"
#include "core/record.h"

namespace belay::core {

// Collects the records of one batch. `take` seals it and starts the next.
class BatchWriter {
 public:
  void add(const Record& record);
  std::uint32_t count() const { return count_; }
  bool empty() const { return count_ == 0; }
  std::size_t bytes() const { return body_.size(); }
  std::string take();

 private:
  std::string body_;
  std::uint64_t base_at_ = 0;
  TransactionId last_id_ = 0;
  std::uint32_t count_ = 0;
};

inline constexpr std::size_t kChecksumBytes = 4;
bool ends_with_checksum(std::string_view bytes);
// Of what has an unknown format: unsupported if it is whole, else corrupt.
Error newer_or_damaged(std::string_view what, std::string_view bytes);

// Walks a sealed batch. The views of a record live as long as the bytes.
class BatchReader {
 public:
  // Errors: corrupt (CRC, truncated), unsupported (whole, and of a newer format).
  static Result<BatchReader> open(std::string_view bytes);

  std::uint32_t count() const { return count_; }
  // The next record, nothing at the end; corrupt if it cannot be read or is of an unknown kind.
  Result<std::optional<Record>> next();
  // The next that is of this transaction or begins one; the others are passed over unread, at a few
  // nanoseconds each.
  Result<std::optional<Record>> next_of(TransactionId id);

 private:
  std::string_view rest_;
  std::uint64_t base_at_ = 0;
  TransactionId last_id_ = 0;
  std::uint32_t count_ = 0;
  std::uint32_t read_ = 0;
};

// A whole unfinished transaction as of a checkpoint.
std::string encode_snapshot(const Transaction& transaction);
// Errors: corrupt; unsupported, if it is whole and of a newer format.
Result<Transaction> decode_snapshot(std::string_view bytes);

}  // namespace belay::core
