#include "store/row.h"

#include <fmt/format.h>

#include <array>
#include <concepts>
#include <utility>

#include "base/number.h"
#include "base/trace.h"
#include "base/utf8.h"
#include "belay/check.h"
#include "core/codec.h"
#include "core/timeline.h"
#include "store/json.h"

namespace belay::store {
namespace {

// The row of a gid belongs to the newest transaction with this gid. No file needs the second
// clause, but a row that is refused would stop the work on the whole file. (Without `WHERE true`
// SQLite would read ON as the ON of a join.)
constexpr const char* kUpsertRows = R"(
INSERT OR FAIL INTO main.transaction_rows SELECT * FROM belay_batch_rows WHERE true
ON CONFLICT(id) DO UPDATE SET status=excluded.status, stuck=excluded.stuck,
  updated_at=excluded.updated_at, due_at=excluded.due_at, attempts=excluded.attempts,
  last_error=excluded.last_error, lsn=excluded.lsn, definition=excluded.definition,
  branches=excluded.branches, timeline=excluded.timeline, state=excluded.state,
  progress=excluded.progress, result=excluded.result
ON CONFLICT(gid) DO UPDATE SET id=excluded.id, mode=excluded.mode, status=excluded.status,
  stuck=excluded.stuck, created_at=excluded.created_at, updated_at=excluded.updated_at,
  due_at=excluded.due_at, attempts=excluded.attempts, last_error=excluded.last_error,
  trace_id=excluded.trace_id, lsn=excluded.lsn, definition_hash=excluded.definition_hash,
  definition=excluded.definition, branches=excluded.branches, timeline=excluded.timeline,
  state=excluded.state, progress=excluded.progress, result=excluded.result
  WHERE excluded.id > id)";

void put_headers(std::string& out, const std::vector<Header>& headers) {
  out.push_back('[');
  for (std::size_t i = 0; i < headers.size(); ++i) {
    out.append(i == 0 ? "[" : ",[");
    json::put_text(out, headers[i].name);
    out.push_back(',');
    json::put_text(out, headers[i].value);
    out.push_back(']');
  }
  out.push_back(']');
}

void put_retry(std::string& out, const Retry& retry) {
  out.append("{\"first_interval_ms\":");
  base::append_number(out, retry.first_interval.count());
  out.append(",\"multiplier\":");
  base::append_number(out, retry.multiplier);
  out.append(",\"interval_max_ms\":");
  base::append_number(out, retry.interval_max.count());
  out.append(",\"jitter\":");
  base::append_number(out, retry.jitter);
  out.append(",\"limit\":");
  base::append_number(out, retry.limit);
  out.append(",\"ongoing_interval_ms\":");
  base::append_number(out, retry.ongoing_interval.count());
  out.push_back('}');
}

// The effective options of this step: its own or the transaction's. Appends nothing if all are the
// engine's defaults.
void put_step_options(std::string& out, const core::Definition& definition, std::uint32_t branch) {
  const auto before = out.size();
  const auto key = [&](std::string_view name) {
    out.push_back(out.size() == before ? '{' : ',');
    json::put_text(out, name);
    out.push_back(':');
  };
  if (const auto timeout = definition.request_timeout(branch)) {
    key("request_timeout_ms");
    base::append_number(out, timeout->count());
  }
  if (const auto retry = definition.retry(branch)) {
    key("retry");
    put_retry(out, *retry);
  }
  if (const auto headers = definition.headers(branch); !headers.empty()) {
    key("headers");
    put_headers(out, headers);
  }
  if (out.size() != before) out.push_back('}');
}

// [first, rollback, payload, options, commit, branch_id], without empty values at the end. A
// subscriber has the payload of its topic, unless it was edited.
void put_step(std::string& out, const core::Definition& definition, std::uint32_t branch,
              std::string& options) {
  const auto step = definition.step(branch);
  const auto parent = definition.parent(branch);
  const auto own_id = definition.own_branch_id(branch);
  const bool has_more = !step.commit.empty() || !own_id.empty();
  options.clear();
  if (parent) {
    options.append("{\"subscriber_of\":");
    base::append_number(options, *parent + 1);
    options.push_back('}');
  } else {
    put_step_options(options, definition, branch);
  }
  out.push_back('[');
  json::put_text(out, step.first);
  out.push_back(',');
  json::put_text(out, step.rollback);
  if (!step.payload.empty() || !options.empty() || has_more) {
    out.push_back(',');
    const bool is_parents = parent && !definition.is_edited(branch);
    json::put_bytes(out, is_parents ? std::string_view() : step.payload);
  }
  if (!options.empty() || has_more) {
    out.push_back(',');
    out.append(options.empty() ? std::string_view("null") : std::string_view(options));
  }
  if (has_more) {
    out.push_back(',');
    json::put_text(out, step.commit);
  }
  if (!own_id.empty()) {
    out.push_back(',');
    json::put_text(out, own_id);
  }
  out.push_back(']');
}

// {"2": step}: the edited steps by the branch's number, as they were before all edits.
void put_before_edits(std::string& out, const core::Definition& definition) {
  const auto before = definition.without_edits();
  std::string options;
  out.append(",\"before_edits\":");
  char opens = '{';
  for (std::uint32_t i = 0; i < definition.branch_count(); ++i) {
    if (!definition.is_edited(i)) continue;
    out.push_back(std::exchange(opens, ','));
    json::put_text(out, std::to_string(i + 1));
    out.push_back(':');
    put_step(out, before, i, options);
  }
  out.push_back('}');
}

// The steps for which each step waits, numbered from 1 as in a saga.
void put_orders(std::string& out, const core::Graph& graph) {
  out.append(",\"orders\":[");
  for (std::size_t i = 0; i < graph.size(); ++i) {
    out.append(i == 0 ? "[" : ",[");
    for (std::size_t j = 0; j < graph[i].size(); ++j) {
      if (j > 0) out.push_back(',');
      base::append_number(out, graph[i][j] + 1);
    }
    out.push_back(']');
  }
  out.push_back(']');
}

void put_millis(std::string& out, std::string_view key, Millis value) {
  out.append(key);
  base::append_number(out, value.count());
}

// An array of numbers without the zeros at its end; `text` replaces the number at `text_at`.
template <std::size_t Size>
void put_trimmed(std::string& out, const std::array<std::int64_t, Size>& values,
                 std::size_t text_at, std::string_view text) {
  std::size_t used = Size;
  while (used > 0 && values[used - 1] == 0 && !(used - 1 == text_at && !text.empty())) --used;
  out.push_back('[');
  for (std::size_t i = 0; i < used; ++i) {
    if (i > 0) out.push_back(',');
    if (i == text_at) {
      json::put_text(out, text);
    } else {
      base::append_number(out, values[i]);
    }
  }
  out.push_back(']');
}

std::int64_t signed_of(std::uint64_t value) { return static_cast<std::int64_t>(value); }

void put_branch(std::string& out, const core::Branch& branch, bool finished) {
  const std::array<std::int64_t, 7> values = {
      static_cast<std::int64_t>(branch.first),
      branch.attempts_first,
      static_cast<std::int64_t>(branch.second),
      branch.attempts_second,
      finished ? 0 : signed_of(branch.due_at),
      0,
      branch.parked ? 1 : 0,
  };
  put_trimmed(out, values, 5,
              branch.last_error ? std::string_view(*branch.last_error) : std::string_view());
}

void put_event(std::string& out, const core::TimelineEvent& event, std::uint64_t created_at) {
  using core::RecordKind;
  const bool of_branch = event.kind == RecordKind::answered || event.kind == RecordKind::parked ||
                         event.kind == RecordKind::started || event.kind == RecordKind::added ||
                         event.kind == RecordKind::progressed ||
                         event.kind == RecordKind::resolved || event.kind == RecordKind::hastened ||
                         event.kind == RecordKind::edited;
  const auto result = event.kind == RecordKind::finished ? static_cast<std::int64_t>(event.status)
                                                         : static_cast<std::int64_t>(event.outcome);
  const std::array<std::int64_t, 7> values = {
      static_cast<std::int64_t>(event.kind),
      signed_of(event.at - created_at),  // negative if the wall clock went back
      of_branch ? event.branch + std::int64_t{1} : 0,
      of_branch ? static_cast<std::int64_t>(event.op) : 0,
      result,
      0,
      event.repeats > 1 ? event.repeats : 0,
  };
  put_trimmed(out, values, 5, event.text);
}

// The table's columns, in the table's order. `state` is NULL for finished transactions: only
// unfinished transactions need their whole state. `progress` and `result` are NULL for all but
// workflows.
constexpr const char* kColumns =
    "id, gid, mode, status, stuck, created_at, updated_at, due_at, attempts, last_error, trace_id, "
    "lsn, definition_hash, definition, branches, timeline, state, progress, result";
enum class Column : std::uint8_t {
  id,
  gid,
  mode,
  status,
  stuck,
  created_at,
  updated_at,
  due_at,
  attempts,
  last_error,
  trace_id,
  lsn,
  definition_hash,
  definition,
  branches,
  timeline,
  state,
  progress,
  result,
};

void give(sqlite3_context* out, std::integral auto number) {
  sqlite3_result_int64(out, static_cast<sqlite3_int64>(number));
}

void give_text(sqlite3_context* out, std::string_view text) {
  sqlite3_result_text64(out, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

// Leaves the value NULL if the text is empty.
void give_text_or_null(sqlite3_context* out, std::string_view text) {
  if (!text.empty()) give_text(out, text);
}

void give_blob(sqlite3_context* out, std::string_view bytes) {
  sqlite3_result_blob64(out, bytes.data(), bytes.size(), SQLITE_STATIC);
}

// Gives text if the bytes are text, otherwise a blob.
void give_result(sqlite3_context* out, const core::Remembered* remembered) {
  if (remembered == nullptr) return;
  const std::string_view result = remembered->result;
  base::is_text(result) ? give_text_or_null(out, result) : give_blob(out, result);
}

}  // namespace

void render_definition(std::string& out, const core::Definition& definition) {
  std::string options;
  out.append("{\"steps\":[");
  bool is_edited = false;
  for (std::uint32_t i = 0; i < definition.branch_count(); ++i) {
    if (i > 0) out.push_back(',');
    put_step(out, definition, i, options);
    is_edited = is_edited || definition.is_edited(i);
  }
  out.push_back(']');
  if (is_edited) put_before_edits(out, definition);
  if (const auto query = definition.query()) {
    out.append(",\"query\":");
    base::append_number(out, *query);
  }
  if (definition.shape() == core::Shape::concurrent) out.append(",\"concurrent\":true");
  if (definition.shape() == core::Shape::graph) put_orders(out, definition.graph());
  if (definition.delay().count() != 0) put_millis(out, ",\"delay_ms\":", definition.delay());
  if (const auto timeout = definition.timeout_to_fail()) {
    put_millis(out, ",\"timeout_to_fail_ms\":", *timeout);
  }
  if (const auto data = definition.custom_data(); !data.empty()) {
    out.append(",\"custom_data\":");
    json::put_bytes(out, data);
  }
  if (const auto trace = definition.trace_parent(); !trace.empty()) {
    out.append(",\"trace_parent\":");
    json::put_text(out, trace);
  }
  if (const auto name = definition.name(); !name.empty()) {
    out.append(",\"name\":");
    json::put_text(out, name);
  }
  out.push_back('}');
}

void render_branches(std::string& out, const core::Transaction& transaction) {
  out.push_back('[');
  for (std::size_t i = 0; i < transaction.branches.size(); ++i) {
    if (i > 0) out.push_back(',');
    put_branch(out, transaction.branches[i], transaction.finished());
  }
  out.push_back(']');
}

Result<> render_timeline(std::string& out, const core::Transaction& transaction) {
  auto events = core::decode_timeline(transaction.timeline, transaction.created_at);
  if (!events) return events.error();
  out.push_back('[');
  for (std::size_t i = 0; i < events->size(); ++i) {
    if (i > 0) out.push_back(',');
    put_event(out, (*events)[i], transaction.created_at);
  }
  out.push_back(']');
  return {};
}

void render_progress(std::string& out, const core::Remembered& remembered) {
  auto steps = std::string_view(remembered.steps);
  out.push_back('[');
  for (bool first = true; const auto step = core::take_step(steps); first = false) {
    out.append(first ? "[" : ",[");
    for (const auto word : {step->branch_id, step->op, step->status}) {
      json::put_text(out, word);
      out.push_back(',');
    }
    json::put_bytes(out, step->data);
    out.push_back(',');
    base::append_number(out, step->after_ms);
    out.push_back(']');
  }
  out.push_back(']');
}

Result<std::unique_ptr<RowWriter>> RowWriter::prepare(sqlite3* db) {
  auto writer = std::make_unique<RowWriter>();
  BELAY_TRY(sqlite::make_table(db, "belay_batch_rows", kColumns, *writer));
  auto statement = sqlite::Statement::prepare(db, kUpsertRows);
  if (!statement) return statement.error();
  writer->upsert_ = std::move(*statement);
  return writer;
}

Result<> RowWriter::write(std::span<const ports::RowChange> rows) {
  if (rows.empty()) return {};
  rows_ = rows;
  at_ = 0;
  auto written = run(upsert_);
  // Not so if a table of the file has the name that the statement reads from.
  if (written && at_ != rows.size())
    written = Error{ErrorCode::storage, "a batch's rows were not all written"};
  rows_ = {};
  return written;
}

Result<bool> RowWriter::first() {
  at_ = 0;
  return render_current();
}

Result<bool> RowWriter::next() {
  ++at_;
  return render_current();
}

Result<bool> RowWriter::render_current() {
  while (at_ < rows_.size() && rows_[at_].erase) ++at_;
  if (at_ == rows_.size()) return false;
  const auto& row = rows_[at_];
  BELAY_CHECK(row.transaction != nullptr && row.transaction->id == row.id);
  const auto& transaction = *row.transaction;
  definition_.clear();
  branches_.clear();
  timeline_.clear();
  state_.clear();
  render_definition(definition_, transaction.definition);
  render_branches(branches_, transaction);
  BELAY_TRY(render_timeline(timeline_, transaction));
  reason_ = base::to_text(core::reason_of(transaction));
  if (!transaction.finished()) state_ = core::encode_snapshot(transaction);
  render_memory(transaction);
  bytes_ += transaction.gid().size() + definition_.size() + branches_.size() + timeline_.size() +
            reason_.size() + state_.size();
  return true;
}

void RowWriter::render_memory(const core::Transaction& transaction) {
  progress_.clear();
  const auto* remembered = transaction.remembered.get();
  if (remembered == nullptr) return;
  if (remembered->count != 0) render_progress(progress_, *remembered);
  bytes_ += progress_.size() + remembered->result.size();
}

void RowWriter::column(sqlite3_context* out, int column) {
  const auto& row = rows_[at_];
  const auto& transaction = *row.transaction;
  switch (static_cast<Column>(column)) {
    case Column::id: return give(out, transaction.id);
    case Column::gid: return give_text(out, transaction.gid());
    case Column::mode: return give(out, static_cast<int>(transaction.mode()));
    case Column::status: return give(out, static_cast<int>(transaction.status));
    case Column::stuck: return give(out, row.stuck ? 1 : 0);
    case Column::created_at: return give(out, transaction.created_at);
    case Column::updated_at: return give(out, transaction.updated_at);
    case Column::due_at:
      if (row.due_at != 0) give(out, row.due_at);
      return;
    case Column::attempts: return give(out, core::attempts_of(transaction));
    case Column::last_error: return give_text_or_null(out, reason_);
    case Column::trace_id:
      return give_text_or_null(out, base::trace_id_of(transaction.definition.trace_parent()));
    case Column::lsn: return give(out, row.lsn);
    case Column::definition_hash: return give(out, transaction.definition.hash());
    case Column::definition: return give_text(out, definition_);
    case Column::branches: return give_text(out, branches_);
    case Column::timeline: return give_text(out, timeline_);
    case Column::state:
      if (!state_.empty()) give_blob(out, state_);
      return;
    case Column::progress: return give_text_or_null(out, progress_);
    case Column::result: return give_result(out, transaction.remembered.get());
  }
}

}  // namespace belay::store
