// Encodes records and snapshots as bytes. A batch is: format (1 byte), record count (varint),
// CRC-32C of the rest (4 bytes, little endian), base time (varint, ms), then the records. A
// snapshot is: format (1 byte), content, CRC-32C of all bytes before the checksum (4 bytes); format
// 1 has no checksum. Unknown formats and kinds are refused, never skipped.
//
// In every later format the last four bytes must be the CRC-32C of all bytes before them. So a
// flipped bit in the first byte can be recognized as damage and is not taken for the format of a
// newer version.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "belay/result.h"
#include "core/record.h"

namespace belay::core {

// Collects the records of one batch. `take` seals the batch and starts the next one.
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
// The error for bytes with an unknown format: unsupported if the bytes are undamaged, otherwise
// corrupt.
Error newer_or_damaged(std::string_view what, std::string_view bytes);

// Reads the records of a sealed batch. The views in a record are valid as long as the bytes are.
class BatchReader {
 public:
  // Errors: corrupt (wrong CRC, truncated), unsupported (undamaged, but in a newer format).
  static Result<BatchReader> open(std::string_view bytes);

  std::uint32_t count() const { return count_; }
  // The next record; empty at the end; corrupt if the record cannot be read or is of an unknown
  // kind.
  Result<std::optional<Record>> next();
  // The next record that belongs to this transaction or begins one. Other records are skipped
  // without decoding, at a few nanoseconds each.
  Result<std::optional<Record>> next_of(TransactionId id);

 private:
  std::string_view rest_;
  std::uint64_t base_at_ = 0;
  TransactionId last_id_ = 0;
  std::uint32_t count_ = 0;
  std::uint32_t read_ = 0;
};

// Encodes a whole unfinished transaction as of a checkpoint.
std::string encode_snapshot(const Transaction& transaction);
// Errors: corrupt; unsupported, if the snapshot is undamaged and in a newer format.
Result<Transaction> decode_snapshot(std::string_view bytes);

}  // namespace belay::core
