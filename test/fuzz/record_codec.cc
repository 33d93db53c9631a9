#include "fuzz/record_codec.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "core/apply.h"
#include "core/codec.h"
#include "core/draft.h"
#include "core/timeline.h"
#include "unit/core/samples.h"
#include "unit/core/transactions.h"

namespace belay::test {
namespace {

constexpr std::uint64_t kCreated = 1'700'000'000'000;

// Seals records with the right checksum. The number of records is the input's first byte.
std::string with_checksum(std::string_view input) {
  if (input.empty()) return {};
  std::string batch("\x01");
  batch.push_back(static_cast<char>(input[0] & 0x7f));
  base::put_u32(batch, base::crc32c(input.substr(1)));
  return batch.append(input.substr(1));
}

std::string check_snapshot(std::string_view bytes, bool& read) {
  const auto first = core::decode_snapshot(bytes);
  if (!first) return {};
  read = true;
  const auto written = core::encode_snapshot(*first);
  const auto second = core::decode_snapshot(written);
  if (!second) return "a snapshot that was written cannot be read: " + second.error().detail;
  if (const auto differs = difference(*first, *second); !differs.empty())
    return "a snapshot changed: " + differs;
  return core::encode_snapshot(*second) == written ? "" : "a snapshot is written in two ways";
}

std::string check_batch(std::string_view bytes, bool& read) {
  const auto first = unsealed(bytes);
  if (!first) return {};
  read = true;
  const auto batch = sealed(*first);
  const auto second = unsealed(batch);
  if (!second) return "a batch that was written cannot be read: " + second.error().detail;
  if (!std::equal(first->begin(), first->end(), second->begin(), second->end(), same))
    return "a batch changed";
  return {};
}

// Records of any kind in any order: what is accepted leaves a state that a checkpoint can keep, and
// a final one stays.
std::string check_history(const core::Record& first, std::string_view bytes, bool& read) {
  const auto records = unsealed(bytes);
  if (!records) return {};
  auto transaction = *core::begin(first);
  for (const auto& record : *records) {
    const auto before = core::clone(transaction);
    if (!core::apply(transaction, record)) {
      if (const auto differs = difference(transaction, before); !differs.empty())
        return "refused, but " + differs;
      continue;
    }
    read = true;
    if (before.finished()) return "a final transaction took a record";
    bool readable = false;
    if (auto broken = check_snapshot(core::encode_snapshot(transaction), readable); !broken.empty())
      return broken;
    if (!readable) return "the snapshot of a state that was accepted cannot be read";
    if (!core::decode_timeline(transaction.timeline, kCreated))
      return "the timeline of it cannot be read";
  }
  return {};
}

std::string check_history(Reading reading, std::string_view bytes, bool& read) {
  static const auto saga = encoded(rich_saga());
  static const auto tcc = encoded(rich_tcc(), core::Entry::prepare);
  static const auto msg = encoded(rich_msg(), core::Entry::prepare);
  static const auto workflow = encoded(rich_workflow(), core::Entry::prepare);
  core::Record first{.kind = core::RecordKind::prepared, .id = 1, .at = kCreated};
  if (reading == Reading::history) {
    first.kind = core::RecordKind::submitted;
    first.text = saga;
  } else {
    first.text = reading == Reading::driven ? tcc : reading == Reading::message ? msg : workflow;
  }
  return check_history(first, bytes, read);
}

// A definition's content said once more, branch by branch.
std::string rewritten(const core::Definition& definition) {
  Settings settings;
  settings.timeout_to_fail = definition.timeout_to_fail();
  settings.custom_data = definition.custom_data();
  settings.trace_parent = definition.trace_parent();
  core::Draft draft{.mode = definition.mode(),
                    .shape = definition.shape(),
                    .settings = &settings,
                    .delay = definition.delay(),
                    .name = definition.name()};
  std::deque<StepOptions> options;
  for (std::uint32_t i = 0; i < definition.branch_count(); ++i) {
    const auto step = definition.step(i);
    options.push_back({.retry = definition.retry(i),
                       .request_timeout = definition.request_timeout(i),
                       .headers = definition.headers(i)});
    draft.steps.push_back({.first = step.first,
                           .commit = step.commit,
                           .rollback = step.rollback,
                           .payload = step.payload,
                           .options = &options.back(),
                           .is_query = definition.is_query(i),
                           .branch_id = definition.own_branch_id(i)});
  }
  return std::string(core::Definition::make(draft, definition.gid(), definition.graph()).bytes());
}

std::string check_definition(std::string_view bytes, bool& read) {
  const auto first = core::Definition::parse(bytes);
  if (!first) return {};
  read = true;
  if (first->bytes() != bytes) return "a definition is not the bytes it was read from";
  const auto written = rewritten(*first);
  const auto second = core::Definition::parse(written);
  if (!second) return "a definition that was written cannot be read";
  return rewritten(*second) == written ? "" : "a definition changed";
}

std::string check_timeline(std::string_view bytes, bool& read) {
  const auto events = core::decode_timeline(bytes, kCreated);
  if (!events) return {};
  read = true;
  for (const auto kind : {core::RecordKind::answered, core::RecordKind::finished}) {
    std::string timeline(bytes);
    const core::Record record{.kind = kind,
                              .at = kCreated + 5,
                              .branch = 1,
                              .outcome = OutcomeKind::unknown,
                              .status = Status::failed,
                              .text = "new"};
    core::append_event(timeline, kCreated, record);
    const auto after = core::decode_timeline(timeline, kCreated);
    if (!after || after->empty()) return "a timeline cannot be read any more after an event";
    if (after->back().kind != kind || after->back().at != record.at)
      return "the newest event is not the newest";
    if (after->size() > events->size() + 1) return "an event became several";
  }
  return {};
}

}  // namespace

std::string check_record_codec(std::string_view input, bool& read) {
  read = false;
  if (input.empty()) return {};
  const auto rest = input.substr(1);
  const auto reading = static_cast<Reading>(input[0]);
  switch (reading) {
    case Reading::batch: return check_batch(rest, read);
    case Reading::records: return check_batch(with_checksum(rest), read);
    case Reading::history:
    case Reading::driven:
    case Reading::message:
    case Reading::workflow: return check_history(reading, with_checksum(rest), read);
    case Reading::snapshot: return check_snapshot(rest, read);
    case Reading::definition: return check_definition(rest, read);
    case Reading::timeline: return check_timeline(rest, read);
  }
  return {};
}

}  // namespace belay::test
