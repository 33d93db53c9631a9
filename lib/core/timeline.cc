#include "core/timeline.h"

#include <string>

#include "base/bytes.h"

// An event is: the kind, the time since the transaction began (signed: the wall clock may have gone
// back), then the fields of the kind, including the number of repeats. The offset of the newest
// event is not stored: events are short, and reading 16 KB of them costs microseconds.
namespace belay::core {
namespace {

struct TimelineEntry {
  // The record's text is a view into the timeline, or into the original record.
  Record record;
  std::uint32_t repeats = 1;
};

std::uint8_t pack(const Record& record) {
  return static_cast<std::uint8_t>(static_cast<unsigned>(record.op) << 3 |
                                   static_cast<unsigned>(record.outcome));
}

void put_entry(std::string& out, std::uint64_t created_at, const TimelineEntry& event) {
  const auto& record = event.record;
  base::put_u8(out, static_cast<std::uint8_t>(record.kind));
  base::put_signed(out, static_cast<std::int64_t>(record.at - created_at));
  switch (record.kind) {
    case RecordKind::answered:
    case RecordKind::resolved:
    case RecordKind::hastened:
    case RecordKind::edited:
    case RecordKind::parked:
      base::put_varint(out, record.branch);
      base::put_u8(out, pack(record));
      base::put_varint(out, event.repeats);
      base::put_string(out, record.text);
      break;
    case RecordKind::stopped:
    case RecordKind::aborting: base::put_string(out, record.text); break;
    case RecordKind::finished: base::put_u8(out, static_cast<std::uint8_t>(record.status)); break;
    case RecordKind::progressed:
    case RecordKind::added: base::put_varint(out, record.branch); break;
    case RecordKind::concluded: base::put_string(out, record.text); break;
    case RecordKind::submitted:
    case RecordKind::prepared:
    case RecordKind::committing:
    case RecordKind::scheduled:
    case RecordKind::started: break;
  }
}

bool read_entry(base::ByteReader& in, std::uint64_t created_at, TimelineEntry& event) {
  event = {};
  auto& record = event.record;
  record.kind = static_cast<RecordKind>(in.u8());
  record.at = created_at + static_cast<std::uint64_t>(in.signed_varint());
  switch (record.kind) {
    case RecordKind::answered:
    case RecordKind::resolved:
    case RecordKind::hastened:
    case RecordKind::edited:
    case RecordKind::parked: {
      record.branch = in.varint32();
      const auto packed = in.u8();
      if ((packed & 7) > static_cast<std::uint8_t>(OutcomeKind::unknown) ||
          packed >> 3 > static_cast<std::uint8_t>(Op::query)) {
        return false;
      }
      record.op = static_cast<Op>(packed >> 3);
      record.outcome = static_cast<OutcomeKind>(packed & 7);
      event.repeats = in.varint32();
      record.text = in.string();
      break;
    }
    case RecordKind::stopped:
    case RecordKind::aborting: record.text = in.string(); break;
    case RecordKind::finished:
      record.status = static_cast<Status>(in.u8());
      if (!is_final(record.status)) return false;
      break;
    case RecordKind::progressed:
    case RecordKind::added: record.branch = in.varint32(); break;
    case RecordKind::concluded: record.text = in.string(); break;
    case RecordKind::submitted:
    case RecordKind::prepared:
    case RecordKind::committing: break;
    default: return false;
  }
  return in.ok();
}

// Events that can repeat without a limit, or that another event implies: they may be dropped. The
// success of a query is such an event: a workflow's callback is called until the owner ends the
// workflow, whatever the callback answers.
bool is_forgettable(const Record& record) {
  return record.kind == RecordKind::parked || record.kind == RecordKind::hastened ||
         (record.kind == RecordKind::answered &&
          (record.outcome != OutcomeKind::success || record.op == Op::query));
}

bool same_answer(const Record& a, const Record& b) {
  return a.kind == b.kind && a.branch == b.branch && a.op == b.op && a.outcome == b.outcome &&
         a.text == b.text;
}

// Drops the older half of the events that may be dropped. Events that decided the transaction's
// course always stay.
void forget_half(std::string& timeline, std::uint64_t created_at) {
  std::size_t forgettable = 0;
  TimelineEntry event;
  for (base::ByteReader in(timeline); !in.at_end();) {
    if (!read_entry(in, created_at, event)) return;
    forgettable += is_forgettable(event.record) ? 1 : 0;
  }
  std::size_t to_forget = forgettable / 2;
  std::string kept;
  for (base::ByteReader in(timeline); !in.at_end();) {
    read_entry(in, created_at, event);
    if (to_forget > 0 && is_forgettable(event.record)) {
      --to_forget;
    } else {
      put_entry(kept, created_at, event);
    }
  }
  timeline = std::move(kept);
}

// If the event is the same answer as the newest one, only the count of that one increases.
void append_forgettable(std::string& timeline, std::uint64_t created_at, TimelineEntry event) {
  if (timeline.size() > kTimelineBytesMax) forget_half(timeline, created_at);
  TimelineEntry newest;
  std::size_t newest_at = 0;
  for (base::ByteReader in(timeline); !in.at_end();) {
    newest_at = in.offset();
    // If the timeline is damaged by a bug elsewhere, nothing more of it is lost.
    if (!read_entry(in, created_at, newest)) return;
  }
  if (!timeline.empty() && same_answer(newest.record, event.record)) {
    event.repeats = newest.repeats + 1;
    timeline.resize(newest_at);
  }
  put_entry(timeline, created_at, event);
}

}  // namespace

void append_event(std::string& timeline, std::uint64_t created_at, const Record& record) {
  if (record.kind == RecordKind::started || record.kind == RecordKind::scheduled) return;
  // Only events that can repeat without a limit need a look at the events before them.
  if (is_forgettable(record)) {
    append_forgettable(timeline, created_at, {record});
  } else {
    put_entry(timeline, created_at, {record});
  }
}

Result<std::vector<TimelineEvent>> decode_timeline(std::string_view timeline,
                                                   std::uint64_t created_at) {
  std::vector<TimelineEvent> events;
  TimelineEntry event;
  for (base::ByteReader in(timeline); !in.at_end();) {
    if (!read_entry(in, created_at, event))
      return Error{ErrorCode::corrupt, "a timeline that cannot be read"};
    const auto& record = event.record;
    events.push_back({record.at, record.kind, record.branch, record.op, record.outcome,
                      record.status, event.repeats, std::string(record.text)});
  }
  return events;
}

}  // namespace belay::core
