#include "store/transfer_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "base/base64.h"
#include "base/crc32c.h"
#include "base/json_cursor.h"
#include "base/number.h"
#include "store/json.h"

namespace belay::store::transfer {
namespace {

constexpr std::string_view kCheckKey = "crc32c";
constexpr std::string_view kSealed = ",\"crc32c\":\"";
constexpr std::string_view kSealEnd = "\"}";
constexpr std::size_t kDigits = 8;                       // of a checksum
constexpr std::uint64_t kTimeMax = 253'402'300'799'999;  // the year 9999, in ms since the epoch

std::string hex_of(std::uint64_t value, std::size_t digits) {
  return fmt::format("{:0{}x}", value, digits);
}

// Reads exactly the digits that `hex_of` writes.
std::optional<std::uint64_t> from_hex(std::string_view text, std::size_t digits) {
  std::uint64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, failed] = std::from_chars(text.data(), end, value, 16);
  if (failed != std::errc() || stop != end || hex_of(value, digits) != text) return std::nullopt;
  return value;
}

// ---- writing

class Writer {
 public:
  explicit Writer(std::string_view first) { key(first); }

  Writer& number(std::string_view name, std::uint64_t value) {
    key(name);
    base::append_number(out_, value);
    return *this;
  }
  Writer& text(std::string_view name, std::string_view value) {
    key(name);
    json::put_text(out_, value);
    return *this;
  }
  Writer& bytes(std::string_view name, std::string_view value) {
    key(name);
    json::put_bytes(out_, value);
    return *this;
  }
  Writer& bytes_if_any(std::string_view name, std::string_view value) {
    return value.empty() ? *this : bytes(name, value);
  }
  Writer& json_if_any(std::string_view name, std::string_view value) {
    if (value.empty()) return *this;
    key(name);
    out_.append(value);
    return *this;
  }
  Writer& base64_if_any(std::string_view name, std::string_view value) {
    if (value.empty()) return *this;
    key(name);
    out_.push_back('"');
    base::append_base64(out_, value);
    out_.push_back('"');
    return *this;
  }
  std::string& out() { return out_; }

  std::string seal() {
    const auto check = hex_of(base::crc32c(out_), kDigits);
    out_.append(kSealed).append(check).append(kSealEnd).push_back('\n');
    return std::move(out_);
  }

 private:
  // The first value follows the constructor.
  void key(std::string_view name) {
    out_.push_back(out_.empty() ? '{' : ',');
    json::put_text(out_, name);
    out_.push_back(':');
  }

  std::string out_;
};

// ---- reading

// The members of a line, whose first one says what the line is.
class Members {
 public:
  Members(base::JsonCursor& in, std::string first) : in_(in) { seen_.push_back(std::move(first)); }

  // Calls `read_value` with each further key; false: the key is not known.
  template <class Read>
  Result<> read(const Read& read_value) {
    while (in_.more('}')) {
      auto key = in_.key();
      if (!in_.ok()) break;
      if (has(key)) return corrupt(fmt::format("'{}' is there twice", key));
      if (key == kCheckKey) {
        static_cast<void>(in_.text());  // compared already
        continue;
      }
      if (!read_value(key)) {
        return Error{ErrorCode::unsupported,
                     fmt::format("it has '{}', which this belay does not know", key)};
      }
      if (!in_.ok()) return corrupt(fmt::format("'{}' cannot be read", key));
      if (wrong_) return *wrong_;
      seen_.push_back(std::move(key));
    }
    return in_.at_end() ? Result<>() : corrupt("it is no JSON object of that form");
  }

  Result<> demand(std::initializer_list<std::string_view> keys) const {
    for (const auto key : keys) {
      if (!has(key)) return corrupt(fmt::format("'{}' is missing", key));
    }
    return {};
  }

  std::uint64_t number(std::string_view name, std::uint64_t most) {
    const auto value = in_.integer();
    if (value >= 0 && static_cast<std::uint64_t>(value) <= most)
      return static_cast<std::uint64_t>(value);
    refuse(fmt::format("{} is {}, it must be 0 to {}", name, value, most));
    return 0;
  }
  std::uint64_t time(std::string_view name) { return number(name, kTimeMax); }
  std::uint64_t count(std::string_view name) {
    return number(name, std::numeric_limits<std::int64_t>::max());
  }
  std::uint64_t hex(std::string_view name, std::size_t digits) {
    const auto value = from_hex(in_.text(), digits);
    if (!value) refuse(fmt::format("{} is no number of {} hexadecimal digits", name, digits));
    return value.value_or(0);
  }
  template <class Name, class From>
  Name name(std::string_view field, const From& from) {
    const auto text = in_.text();
    const auto known = from(text);
    if (!known) refuse(fmt::format("{} is '{}', which is none", field, text));
    return known.value_or(Name{});
  }
  std::string base64(std::string_view name) {
    auto bytes = base::from_base64(in_.text());
    if (!bytes || bytes->empty()) refuse(fmt::format("{} is no Base64", name));
    return bytes ? std::move(*bytes) : std::string();
  }

 private:
  bool has(std::string_view key) const {
    return std::find(seen_.begin(), seen_.end(), key) != seen_.end();
  }
  static Error corrupt(std::string detail) { return {ErrorCode::corrupt, std::move(detail)}; }
  void refuse(std::string detail) {
    if (!wrong_ && in_.ok()) wrong_ = corrupt(std::move(detail));
  }

  base::JsonCursor& in_;
  std::vector<std::string> seen_;
  std::optional<Error> wrong_;
};

Result<Line> read_head(base::JsonCursor& in, Members members) {
  if (const auto format = in.integer(); in.ok() && format != kFormat) {
    return Error{ErrorCode::unsupported,
                 fmt::format("the file has format {}, this belay knows {}", format, kFormat)};
  }
  Head head;
  BELAY_TRY(members.read([&](const std::string& key) {
    if (key == "transactions") {
      head.transactions = members.count(key);
    } else if (key == "unfinished") {
      head.unfinished = members.count(key);
    } else if (key == "topics") {
      head.topics = members.count(key);
    } else if (key == "realms") {
      head.realms = members.count(key);
    } else if (key == "epoch") {
      head.epoch = members.count(key);
    } else if (key == "exported_at") {
      head.exported_at = static_cast<std::int64_t>(members.time(key));
    } else {
      return false;
    }
    return true;
  }));
  BELAY_TRY(
      members.demand({"transactions", "unfinished", "topics", "realms", "epoch", "exported_at"}));
  return Line(head);
}

void read_subscriptions(base::JsonCursor& in, core::TopicState& state) {
  for (in.enter('['); in.more(']');) {
    in.enter('[');
    std::string target;
    std::string remark;
    if (in.more(']')) target = in.bytes();
    if (in.more(']')) remark = in.bytes();
    if (in.more(']')) return;  // a third value; the caller finds it where a member should be
    state.subscribers.emplace(std::move(target), std::move(remark));
  }
}

Result<Line> read_topic(base::JsonCursor& in, Members members) {
  TopicLine topic{.name = in.bytes(), .state = {}};
  auto& stamp = topic.state.stamp;
  BELAY_TRY(members.read([&](const std::string& key) {
    if (key == "version") {
      stamp.version = members.count(key);
    } else if (key == "created_at") {
      stamp.created_at = members.time(key);
    } else if (key == "updated_at") {
      stamp.updated_at = members.time(key);
    } else if (key == "subscriptions") {
      read_subscriptions(in, topic.state);
    } else {
      return false;
    }
    return true;
  }));
  BELAY_TRY(members.demand({"version", "created_at", "updated_at", "subscriptions"}));
  return Line(std::move(topic));
}

std::optional<XaKind> kind_from(std::string_view name) {
  if (name == "postgresql") return XaKind::postgresql;
  if (name == "mariadb") return XaKind::mariadb;
  return std::nullopt;
}

Result<Line> read_realm(base::JsonCursor& in, Members members) {
  XaRealm realm{.kind = {}, .realm = in.bytes(), .participant = {}};
  BELAY_TRY(members.read([&](const std::string& key) {
    if (key == "kind") {
      realm.kind = members.name<XaKind>(key, kind_from);
    } else if (key == "participant") {
      realm.participant = in.bytes();
    } else {
      return false;
    }
    return true;
  }));
  BELAY_TRY(members.demand({"kind", "participant"}));
  return Line(std::move(realm));
}

// False: the key is none of these.
bool read_facts(base::JsonCursor& in, Members& members, const std::string& key, RowLine& row) {
  if (key == "id") {
    row.id = members.count(key);
  } else if (key == "mode") {
    row.mode = members.name<Mode>(key, mode_from);
  } else if (key == "status") {
    row.status = members.name<Status>(key, status_from);
  } else if (key == "created_at") {
    row.created_at = members.time(key);
  } else if (key == "updated_at") {
    row.updated_at = members.time(key);
  } else if (key == "attempts") {
    row.attempts =
        static_cast<std::uint32_t>(members.number(key, std::numeric_limits<std::uint32_t>::max()));
  } else if (key == "last_error") {
    row.last_error = in.bytes();
  } else if (key == "trace_id") {
    row.trace_id = in.bytes();
  } else {
    return false;
  }
  return true;
}

bool read_contents(base::JsonCursor& in, Members& members, const std::string& key, RowLine& row) {
  if (key == "definition_hash") {
    row.definition_hash = members.hex(key, 2 * kDigits);
  } else if (key == "definition") {
    row.definition = in.raw();
  } else if (key == "branches") {
    row.branches = in.raw();
  } else if (key == "timeline") {
    row.timeline = in.raw();
  } else if (key == "progress") {
    row.progress = in.raw();
  } else if (key == "result") {
    row.result = in.bytes();
  } else if (key == "snapshot") {
    row.snapshot = members.base64(key);
  } else {
    return false;
  }
  return true;
}

Result<Line> read_row_line(base::JsonCursor& in, Members members) {
  RowLine row;
  row.gid = in.bytes();
  BELAY_TRY(members.read([&](const std::string& key) {
    return read_facts(in, members, key, row) || read_contents(in, members, key, row);
  }));
  BELAY_TRY(members.demand({"id", "mode", "status", "created_at", "updated_at", "attempts",
                            "definition_hash", "definition", "branches", "timeline"}));
  if (is_final(row.status) != row.snapshot.empty()) {
    return Error{ErrorCode::corrupt, "an unfinished transaction, and no other, has a 'snapshot'"};
  }
  return Line(std::move(row));
}

Result<Line> read_tail(base::JsonCursor& in, Members members) {
  Tail tail;
  if (!in.flag() && in.ok()) return Error{ErrorCode::corrupt, "'complete' is not true"};
  BELAY_TRY(members.read([&](const std::string& key) {
    if (key == "lines") {
      tail.lines = members.count(key);
    } else if (key == "check") {
      tail.check = static_cast<std::uint32_t>(members.hex(key, kDigits));
    } else {
      return false;
    }
    return true;
  }));
  BELAY_TRY(members.demand({"lines", "check"}));
  return Line(tail);
}

}  // namespace

std::string line_of(const Head& head) {
  Writer out("belay_export");
  base::append_number(out.out(), kFormat);
  return out.number("transactions", head.transactions)
      .number("unfinished", head.unfinished)
      .number("topics", head.topics)
      .number("realms", head.realms)
      .number("epoch", head.epoch)
      .number("exported_at", static_cast<std::uint64_t>(head.exported_at))
      .seal();
}

std::string line_of(const TopicLine& topic) {
  Writer out("topic");
  json::put_bytes(out.out(), topic.name);
  const auto& stamp = topic.state.stamp;
  out.number("version", stamp.version)
      .number("created_at", stamp.created_at)
      .number("updated_at", stamp.updated_at);
  std::string all = "[";
  for (const auto& [target, remark] : topic.state.subscribers) {
    all.append(all.size() == 1 ? "[" : ",[");
    json::put_bytes(all, target);
    all.push_back(',');
    json::put_bytes(all, remark);
    all.push_back(']');
  }
  all.push_back(']');
  return out.json_if_any("subscriptions", all).seal();
}

std::string line_of(const XaRealm& realm) {
  Writer out("realm");
  json::put_bytes(out.out(), realm.realm);
  return out.text("kind", realm.kind == XaKind::postgresql ? "postgresql" : "mariadb")
      .bytes("participant", realm.participant)
      .seal();
}

Result<std::string> line_of(const RowLine& row) {
  Writer out("transaction");
  json::put_bytes(out.out(), row.gid);
  auto line = out.number("id", row.id)
                  .text("mode", name_of(row.mode))
                  .text("status", name_of(row.status))
                  .number("created_at", row.created_at)
                  .number("updated_at", row.updated_at)
                  .number("attempts", row.attempts)
                  .bytes_if_any("last_error", row.last_error)
                  .bytes_if_any("trace_id", row.trace_id)
                  .text("definition_hash", hex_of(row.definition_hash, 2 * kDigits))
                  .json_if_any("definition", row.definition)
                  .json_if_any("branches", row.branches)
                  .json_if_any("timeline", row.timeline)
                  .json_if_any("progress", row.progress)
                  .bytes_if_any("result", row.result)
                  .base64_if_any("snapshot", row.snapshot)
                  .seal();
  if (line.size() <= kLineBytesMax) return line;
  return Error{ErrorCode::unsupported,
               fmt::format("transaction {} takes {} bytes as a line, the limit is {}", row.gid,
                           line.size(), kLineBytesMax)};
}

std::string line_of(const Tail& tail) {
  Writer out("complete");
  out.out().append("true");
  return out.number("lines", tail.lines).text("check", hex_of(tail.check, kDigits)).seal();
}

Result<Line> parse(std::string_view line) {
  const auto seal_bytes = kSealed.size() + kDigits + kSealEnd.size();
  if (line.size() < seal_bytes || !line.ends_with(kSealEnd))
    return Error{ErrorCode::corrupt, "it does not end with a checksum"};
  const auto content = line.substr(0, line.size() - seal_bytes);
  const auto seal = line.substr(content.size());
  const auto check = from_hex(seal.substr(kSealed.size(), kDigits), kDigits);
  if (!seal.starts_with(kSealed) || !check)
    return Error{ErrorCode::corrupt, "it does not end with a checksum"};
  if (*check != base::crc32c(content)) return Error{ErrorCode::corrupt, "its checksum is wrong"};
  base::JsonCursor in(line);
  in.enter('{');
  if (!in.more('}')) return Error{ErrorCode::corrupt, "it is empty"};
  const auto key = in.key();
  Members members(in, key);
  if (key == "belay_export") return read_head(in, std::move(members));
  if (key == "topic") return read_topic(in, std::move(members));
  if (key == "realm") return read_realm(in, std::move(members));
  if (key == "transaction") return read_row_line(in, std::move(members));
  if (key == "complete") return read_tail(in, std::move(members));
  return Error{ErrorCode::unsupported,
               fmt::format("it begins with '{}', which this belay does not know", key)};
}

void LineSum::add(std::string_view line) {
  std::string both = hex_of(value_, kDigits);
  both.append(hex_of(base::crc32c(line), kDigits));
  value_ = base::crc32c(both);
  ++lines_;
}

}  // namespace belay::store::transfer
