// The lines of an exported file, see belay/transfer.h. Each line is a JSON object whose last member
// is the CRC-32C of the bytes before that member: a changed byte is noticed, and its line is known.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "belay/result.h"
#include "belay/types.h"
#include "belay/xa_realm.h"
#include "core/topics.h"

namespace belay::store::transfer {

inline constexpr std::int64_t kFormat = 1;
// The largest row that `Limits` allow by default takes less than half of this.
inline constexpr std::size_t kLineBytesMax = std::size_t{512} * 1024 * 1024;

struct Head {
  std::uint64_t transactions = 0;
  std::uint64_t unfinished = 0;  // of these
  std::uint64_t topics = 0;
  std::uint64_t realms = 0;
  std::uint64_t epoch = 0;
  std::int64_t exported_at = 0;  // ms since the epoch
  bool operator==(const Head&) const = default;
};

struct TopicLine {
  std::string name;
  core::TopicState state;
};

// A row of `transaction_rows`; `snapshot` is the column `state`, of an unfinished one.
struct RowLine {
  std::uint64_t id = 0;
  std::string gid;
  Mode mode{};
  Status status{};
  std::uint64_t created_at = 0;
  std::uint64_t updated_at = 0;
  std::uint32_t attempts = 0;
  std::string last_error;
  std::string trace_id;
  std::uint64_t definition_hash = 0;
  std::string definition;  // JSON; this and the next three as in the file
  std::string branches;
  std::string timeline;
  std::string progress;  // empty: none
  std::string result;
  std::string snapshot;
};

struct Tail {
  std::uint64_t lines = 0;  // before this one
  std::uint32_t check = 0;  // of all lines before this one, see LineSum
};

using Line = std::variant<Head, TopicLine, XaRealm, RowLine, Tail>;

// Each function returns a whole line with its newline.
std::string line_of(const Head& head);
std::string line_of(const TopicLine& topic);
std::string line_of(const XaRealm& realm);
// Error: unsupported (the line is longer than kLineBytesMax), naming the gid.
Result<std::string> line_of(const RowLine& row);
std::string line_of(const Tail& tail);

// Reads a line without its newline. Errors: corrupt (the checksum, a member that is missing, twice
// there or out of its range); unsupported (a member that is not known, or a newer format).
Result<Line> parse(std::string_view line);

// The checksum of a sequence of lines: a line that is missing, or at another place, changes it.
class LineSum {
 public:
  void add(std::string_view line_with_newline);
  std::uint64_t lines() const { return lines_; }
  std::uint32_t value() const { return value_; }

 private:
  std::uint64_t lines_ = 0;
  std::uint32_t value_ = 0;
};

}  // namespace belay::store::transfer
