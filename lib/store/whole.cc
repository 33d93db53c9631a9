#include "store/whole.h"

#include <fmt/format.h>

#include <array>
#include <utility>
#include <vector>

#include "base/branch_id.h"
#include "base/json_cursor.h"
#include "base/trace.h"
#include "base/utf8.h"
#include "belay/outcome.h"
#include "core/codec.h"
#include "core/ops.h"
#include "core/record.h"
#include "store/json.h"
#include "store/row.h"

namespace belay::store {
namespace {

using core::OpState;
using core::RecordKind;
using Cursor = base::JsonCursor;

// The parts of the definition that the views need.
struct StepTexts {
  std::string first, rollback, commit;
  std::string own_id;
};
struct DefinitionTexts {
  std::vector<StepTexts> steps;
  std::int64_t query = -1;  // the index of a back-check
};

// An array without the zeros at its end, with one text among its numbers.
struct Trimmed {
  static constexpr std::size_t kTextAt = 5;
  std::array<std::int64_t, 7> numbers{};
  std::string text;
};

TimePoint time_at(std::int64_t millis) { return TimePoint(Millis(millis)); }

StepTexts read_step(Cursor& in) {
  StepTexts step;
  std::size_t place = 0;
  for (in.enter('['); in.more(']'); ++place) {
    switch (place) {
      case 0: step.first = in.text(); break;
      case 1: step.rollback = in.text(); break;
      case 4: step.commit = in.text(); break;
      case 5: step.own_id = in.text(); break;
      default: in.skip();
    }
  }
  return step;
}

DefinitionTexts read_definition(Cursor& in) {
  DefinitionTexts definition;
  for (in.enter('{'); in.more('}');) {
    const auto key = in.key();
    if (key == "steps") {
      for (in.enter('['); in.more(']');) definition.steps.push_back(read_step(in));
    } else if (key == "query") {
      definition.query = in.integer();
    } else {
      in.skip();
    }
  }
  return definition;
}

std::vector<Trimmed> read_trimmed(Cursor& in) {
  std::vector<Trimmed> all;
  for (in.enter('['); in.more(']');) {
    auto& one = all.emplace_back();
    std::size_t place = 0;
    for (in.enter('['); in.more(']'); ++place) {
      if (place == Trimmed::kTextAt) {
        one.text = in.text();
      } else if (place < one.numbers.size()) {
        one.numbers[place] = in.integer();
      } else {
        in.skip();
      }
    }
  }
  return all;
}

std::vector<ProgressRow> read_progress(Cursor& in, TimePoint created_at) {
  std::vector<ProgressRow> all;
  for (in.enter('['); in.more(']');) {
    auto& [progress, at] = all.emplace_back();
    std::size_t place = 0;
    for (in.enter('['); in.more(']'); ++place) {
      switch (place) {
        case 0: progress.branch_id = in.text(); break;
        case 1: progress.op = in.text(); break;
        case 2: progress.status = in.text(); break;
        case 3: progress.data = in.bytes(); break;
        case 4: at = created_at + Millis(in.integer()); break;
        default: in.skip();
      }
    }
  }
  return all;
}

std::string branch_id_of(const DefinitionTexts& definition, std::size_t place) {
  if (place < definition.steps.size() && !definition.steps[place].own_id.empty())
    return definition.steps[place].own_id;
  return std::string(base::BranchId(static_cast<std::uint32_t>(place)).view());
}

std::string_view word_of(std::int64_t state) {
  switch (static_cast<OpState>(state)) {
    case OpState::idle: return "idle";
    case OpState::started: return "started";
    case OpState::succeeded: return "succeed";
    case OpState::failed: return "failed";
  }
  return {};
}

std::string_view word_of(RecordKind kind) {
  switch (kind) {
    case RecordKind::submitted: return "submitted";
    case RecordKind::started: return "started";
    case RecordKind::answered: return "answered";
    case RecordKind::parked: return "parked";
    case RecordKind::aborting: return "aborting";
    case RecordKind::finished: return "finished";
    case RecordKind::prepared: return "prepared";
    case RecordKind::added: return "added";
    case RecordKind::committing: return "committing";
    case RecordKind::stopped: return "stopped";
    case RecordKind::progressed: return "progressed";
    case RecordKind::concluded: return "concluded";
    case RecordKind::hastened: return "replayed";
    case RecordKind::resolved: return "resolved";
    case RecordKind::edited: return "edited";
    case RecordKind::scheduled: break;  // not in the timeline
  }
  return {};
}

RecordKind kind_of(const Trimmed& event) { return static_cast<RecordKind>(event.numbers[0]); }

// Which of the two second-phase operations was run, or would be run.
Op second_op(const TransactionRow& row, const std::vector<Trimmed>& timeline) {
  const auto& ops = core::ops_of(row.mode);
  bool commits = row.status == Status::submitted || row.status == Status::succeed;
  for (const auto& event : timeline) {
    if (row.status == Status::failed) commits = commits || kind_of(event) == RecordKind::committing;
  }
  return ops.commits && commits ? ops.commit : ops.rollback;
}

const std::string& target_in(const StepTexts& step, Op op, const core::ModeOps& ops) {
  if (core::phase_of(op) == core::Phase::first) return step.first;
  return op == ops.rollback ? step.rollback : step.commit;
}

// The rows of one step: one for each operation.
class StepRows {
 public:
  StepRows(const WholeTransaction& whole, const DefinitionTexts& definition, Op second)
      : definition_(definition), ops_(core::ops_of(whole.row.mode)), second_(second) {}

  void add(std::size_t place, const Trimmed& state, std::vector<BranchRow>& rows) const {
    if (static_cast<std::int64_t>(place) == definition_.query) {
      rows.push_back(row(place, Op::query, ops_.first, state));
      rows.back().branch_id = base::BranchId::query().view();
      return;
    }
    rows.push_back(row(place, ops_.first, ops_.first, state));
    if (ops_.rolls_back) rows.push_back(row(place, ops_.rollback, ops_.rollback, state));
    if (ops_.commits) rows.push_back(row(place, ops_.commit, ops_.commit, state));
  }

 private:
  // `shown` is the displayed operation, `op` the corresponding one in the mode's table.
  BranchRow row(std::size_t place, Op shown, Op op, const Trimmed& state) const {
    const auto& [first, attempts_first, second, attempts_second, due_at, text_at, parked] =
        state.numbers;
    const bool is_first = op == ops_.first;
    const bool has_run = is_first || op == second_;
    const bool is_current = second == 0 ? is_first : !is_first && has_run;
    BranchRow row;
    row.branch_id = branch_id_of(definition_, place);
    row.op = shown;
    row.target = target_in(definition_.steps[place], op, ops_);
    row.status = word_of(has_run ? (is_first ? first : second) : 0);
    row.attempts =
        static_cast<std::uint32_t>(has_run ? (is_first ? attempts_first : attempts_second) : 0);
    if (!is_current) return row;
    if (parked != 0) row.status = "parked";
    row.last_error = state.text;
    if (due_at != 0) row.due_at = time_at(due_at);
    return row;
  }

  const DefinitionTexts& definition_;
  const core::ModeOps& ops_;
  const Op second_;
};

TimelineRow event_of(const Trimmed& event, const WholeTransaction& whole,
                     const DefinitionTexts& definition) {
  const auto& [kind, after_ms, branch, op, result, text_at, repeats] = event.numbers;
  TimelineRow row;
  row.at = whole.row.created_at + Millis(after_ms);
  row.event = word_of(kind_of(event));
  row.detail = event.text;
  row.repeats = repeats == 0 ? 1 : static_cast<std::uint32_t>(repeats);
  const auto place = static_cast<std::size_t>(branch - 1);
  switch (kind_of(event)) {
    case RecordKind::finished: row.outcome = name_of(static_cast<Status>(result)); break;
    case RecordKind::resolved:
    case RecordKind::answered: row.outcome = name_of(static_cast<OutcomeKind>(result)); break;
    case RecordKind::progressed:
      if (place >= whole.progress.size()) break;
      row.branch_id = whole.progress[place].progress.branch_id;
      row.op = whole.progress[place].progress.op;
      row.outcome = whole.progress[place].progress.status;
      return row;
    default: break;
  }
  if (branch <= 0) return row;
  const bool is_query = static_cast<Op>(op) == Op::query;
  row.branch_id =
      is_query ? std::string(base::BranchId::query().view()) : branch_id_of(definition, place);
  if (kind_of(event) != RecordKind::added) row.op = name_of(static_cast<Op>(op));
  return row;
}

std::string obstacle_text(const core::Transaction& transaction) {
  const auto branch = core::obstacle_of(transaction);
  return branch ? base::to_text(core::describe_wait(transaction, *branch)) : std::string();
}

// `state`: the snapshot of a stuck transaction, otherwise empty. A damaged one says nothing here.
std::string obstacle_in(std::string_view state) {
  if (state.empty()) return {};
  const auto transaction = core::decode_snapshot(state);
  return transaction ? obstacle_text(*transaction) : std::string();
}

Error damaged_column(const TransactionRow& row, std::string_view column) {
  return {ErrorCode::corrupt,
          fmt::format("transaction {}: its column {} cannot be read", row.gid, column)};
}

}  // namespace

TransactionRow read_row(const sqlite::Statement& row) {
  TransactionRow read;
  read.id = row.integer(0);
  read.gid = row.bytes(1);
  read.mode = static_cast<Mode>(row.integer(2));
  read.status = static_cast<Status>(row.integer(3));
  read.stuck = row.integer(4) != 0;
  read.created_at = time_at(row.integer(5));
  read.updated_at = time_at(row.integer(6));
  if (is_final(read.status)) read.finished_at = read.updated_at;
  if (!row.is_null(7)) read.due_at = time_at(row.integer(7));
  read.attempts = static_cast<std::uint32_t>(row.integer(8));
  read.last_error = row.bytes(9);
  read.trace_id = row.bytes(10);
  read.definition = row.bytes(11);
  read.obstacle = obstacle_in(row.bytes(12));
  read.result = row.bytes(13);
  return read;
}

Columns read_columns(const sqlite::Statement& row) {
  return {read_row(row), std::string(row.bytes(15)), std::string(row.bytes(16)),
          std::string(row.bytes(14))};
}

TransactionRow row_of(const core::Transaction& transaction, std::uint32_t stuck_after) {
  const auto millis = [](std::uint64_t at) { return time_at(static_cast<std::int64_t>(at)); };
  TransactionRow row;
  row.id = static_cast<std::int64_t>(transaction.id);
  row.gid = transaction.gid();
  row.mode = transaction.mode();
  row.status = transaction.status;
  row.stuck = core::is_stuck(transaction, stuck_after);
  row.created_at = millis(transaction.created_at);
  row.updated_at = millis(transaction.updated_at);
  if (transaction.finished()) row.finished_at = row.updated_at;
  if (const auto due_at = core::next_due(transaction); due_at != 0) row.due_at = millis(due_at);
  row.attempts = core::attempts_of(transaction);
  row.last_error = base::to_text(core::reason_of(transaction));
  if (row.stuck) row.obstacle = obstacle_text(transaction);
  row.trace_id = base::trace_id_of(transaction.definition.trace_parent());
  if (transaction.remembered) row.result = transaction.remembered->result;
  render_definition(row.definition, transaction.definition);
  return row;
}

Result<Columns> columns_of(const core::Transaction& transaction, std::uint32_t stuck_after) {
  Columns columns;
  columns.row = row_of(transaction, stuck_after);
  render_branches(columns.branches, transaction);
  BELAY_TRY(render_timeline(columns.timeline, transaction));
  if (transaction.remembered) render_progress(columns.progress, *transaction.remembered);
  return columns;
}

bool column_names_target(std::string_view text, std::string_view target) {
  std::string quoted;
  json::put_text(quoted, target);
  // This test quickly excludes most definitions.
  if (text.find(quoted) == std::string_view::npos) return false;
  Cursor in(text);
  for (const auto& step : read_definition(in).steps) {
    if (target == step.first || target == step.rollback || target == step.commit) return in.ok();
  }
  return false;
}

Result<WholeTransaction> whole_of(Columns columns) {
  WholeTransaction whole;
  whole.row = std::move(columns.row);
  if (whole.row.mode > Mode::workflow) return damaged_column(whole.row, "mode");
  Cursor in(whole.row.definition);
  const auto definition = read_definition(in);
  if (!in.at_end()) return damaged_column(whole.row, "definition");
  in = Cursor(columns.timeline);
  const auto timeline = read_trimmed(in);
  if (!in.at_end()) return damaged_column(whole.row, "timeline");
  in = Cursor(columns.branches);
  const auto states = read_trimmed(in);
  if (!in.at_end() || states.size() != definition.steps.size())
    return damaged_column(whole.row, "branches");
  if (!columns.progress.empty()) {
    in = Cursor(columns.progress);
    whole.progress = read_progress(in, whole.row.created_at);
    if (!in.at_end()) return damaged_column(whole.row, "progress");
  }
  const StepRows rows(whole, definition, second_op(whole.row, timeline));
  for (std::size_t i = 0; i < states.size(); ++i) rows.add(i, states[i], whole.branches);
  for (const auto& event : timeline) whole.timeline.push_back(event_of(event, whole, definition));
  return whole;
}

}  // namespace belay::store
