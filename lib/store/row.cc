#include "store/row.h"

#include <fmt/format.h>

#include <array>

#include "base/trace.h"
#include "core/codec.h"
#include "core/timeline.h"
#include "store/json.h"

namespace belay::store {
namespace {

// ?17 is NULL for finished transactions: only an unfinished transaction needs its whole state. ?18
// and ?19 are NULL for all modes except workflow. The row of a gid is that of its newest
// transaction. No file needs the second ON CONFLICT clause, but without it a refused row would stop
// the whole file.
constexpr std::string_view kUpsertRow = R"(
INSERT INTO {} VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19)
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
  json::put_number(out, retry.first_interval.count());
  out.append(",\"multiplier\":");
  json::put_real(out, retry.multiplier);
  out.append(",\"interval_max_ms\":");
  json::put_number(out, retry.interval_max.count());
  out.append(",\"jitter\":");
  json::put_real(out, retry.jitter);
  out.append(",\"limit\":");
  json::put_number(out, retry.limit);
  out.append(",\"ongoing_interval_ms\":");
  json::put_number(out, retry.ongoing_interval.count());
  out.push_back('}');
}

// The effective options of this step, its own or the transaction's; nothing if all are the engine's
// defaults.
void put_step_options(std::string& out, const core::Definition& definition, std::uint32_t branch) {
  const auto before = out.size();
  const auto key = [&](std::string_view name) {
    out.push_back(out.size() == before ? '{' : ',');
    json::put_text(out, name);
    out.push_back(':');
  };
  if (const auto timeout = definition.request_timeout(branch)) {
    key("request_timeout_ms");
    json::put_number(out, timeout->count());
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
// subscriber has the payload of its topic.
void put_step(std::string& out, const core::Definition& definition, std::uint32_t branch,
              std::string& options) {
  const auto step = definition.step(branch);
  const auto parent = definition.parent(branch);
  const auto own_id = definition.own_branch_id(branch);
  const bool has_more = !step.commit.empty() || !own_id.empty();
  options.clear();
  if (parent) {
    options.append("{\"subscriber_of\":");
    json::put_number(options, *parent + 1);
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
    json::put_bytes(out, parent ? std::string_view() : step.payload);
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

// The steps for which each step waits, numbered from 1 as in a saga.
void put_orders(std::string& out, const core::Graph& graph) {
  out.append(",\"orders\":[");
  for (std::size_t i = 0; i < graph.size(); ++i) {
    out.append(i == 0 ? "[" : ",[");
    for (std::size_t j = 0; j < graph[i].size(); ++j) {
      if (j > 0) out.push_back(',');
      json::put_number(out, graph[i][j] + 1);
    }
    out.push_back(']');
  }
  out.push_back(']');
}

void put_millis(std::string& out, std::string_view key, Millis value) {
  out.append(key);
  json::put_number(out, value.count());
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
      json::put_number(out, values[i]);
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
                         event.kind == RecordKind::progressed;
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

void bind_text_or_null(Statement& statement, int index, std::string_view text) {
  if (text.empty()) {
    statement.bind_null(index);
  } else {
    statement.bind_text(index, text);
  }
}

}  // namespace

void render_definition(std::string& out, const core::Definition& definition) {
  std::string options;
  out.append("{\"steps\":[");
  for (std::uint32_t i = 0; i < definition.branch_count(); ++i) {
    if (i > 0) out.push_back(',');
    put_step(out, definition, i, options);
  }
  out.push_back(']');
  if (const auto query = definition.query()) {
    out.append(",\"query\":");
    json::put_number(out, *query);
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
    json::put_number(out, step->after_ms);
    out.push_back(']');
  }
  out.push_back(']');
}

Result<RowWriter> RowWriter::prepare(sqlite3* db, std::string_view table) {
  auto statement = Statement::prepare(db, fmt::format(fmt::runtime(kUpsertRow), table));
  if (!statement) return statement.error();
  RowWriter writer;
  writer.upsert_ = std::move(*statement);
  return writer;
}

void RowWriter::bind_memory(const core::Remembered* remembered) {
  progress_.clear();
  if (remembered != nullptr && remembered->count != 0) render_progress(progress_, *remembered);
  bind_text_or_null(upsert_, 18, progress_);
  const auto result = remembered == nullptr ? std::string_view() : remembered->result;
  if (json::is_text(result)) {
    bind_text_or_null(upsert_, 19, result);
  } else {
    upsert_.bind_blob(19, result);
  }
  bytes_ += progress_.size() + result.size();
}

Result<> RowWriter::write(const core::Transaction& transaction, const RowFacts& facts) {
  definition_.clear();
  branches_.clear();
  timeline_.clear();
  render_definition(definition_, transaction.definition);
  render_branches(branches_, transaction);
  BELAY_TRY(render_timeline(timeline_, transaction));
  std::string_view reason = core::reason_of(transaction);
  if (!json::is_text(reason)) reason = reason_ = json::to_text(reason);

  upsert_.bind(1, transaction.id);
  upsert_.bind_text(2, transaction.gid());
  upsert_.bind(3, static_cast<std::int64_t>(transaction.mode()));
  upsert_.bind(4, static_cast<std::int64_t>(transaction.status));
  upsert_.bind(5, static_cast<std::int64_t>(facts.stuck));
  upsert_.bind(6, transaction.created_at);
  upsert_.bind(7, transaction.updated_at);
  if (facts.due_at == 0) {
    upsert_.bind_null(8);
  } else {
    upsert_.bind(8, facts.due_at);
  }
  upsert_.bind(9, static_cast<std::int64_t>(core::attempts_of(transaction)));
  bind_text_or_null(upsert_, 10, reason);
  bind_text_or_null(upsert_, 11, base::trace_id_of(transaction.definition.trace_parent()));
  upsert_.bind(12, facts.lsn);
  upsert_.bind(13, transaction.definition.hash());
  upsert_.bind_text(14, definition_);
  upsert_.bind_text(15, branches_);
  upsert_.bind_text(16, timeline_);
  bytes_ += transaction.gid().size() + definition_.size() + branches_.size() + timeline_.size() +
            reason.size();
  if (transaction.finished()) {
    upsert_.bind_null(17);
  } else {
    state_ = core::encode_snapshot(transaction);
    upsert_.bind_blob(17, state_);
    bytes_ += state_.size();
  }
  bind_memory(transaction.remembered.get());
  return upsert_.run();
}

}  // namespace belay::store
