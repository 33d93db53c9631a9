#include "post_box.h"

#include <algorithm>
#include <utility>

#include "api/posted_body.h"
#include "api/request_body.h"

namespace belay::sim {
namespace {

constexpr const char* kStateFile = "belay.db";
constexpr std::string_view kInsert =
    "INSERT INTO main.belay_requests(verb, gid, body, reason, asked_by) "
    "VALUES(?1, nullif(?2, ''), nullif(?3, ''), nullif(?4, ''), ?5)";
constexpr std::string_view kRead =
    "SELECT asked_by, answered_at IS NOT NULL, answer, detail, gid FROM main.belay_requests "
    "ORDER BY id";
constexpr std::string_view kTaken = "taken";

}  // namespace

// It never moves the log into the file, which is the engine's work.
Result<sqlite::Database> PostBox::open() const {
  auto database = sqlite::Database::open(kStateFile, SQLITE_OPEN_READWRITE, disk_.name());
  if (!database) return database;
  database->checkpoint_on_close(false);
  BELAY_TRY(database->run("PRAGMA synchronous=FULL"));
  BELAY_TRY(database->run("PRAGMA wal_autocheckpoint=0"));
  return database;
}

void PostBox::post(const Request& request, Told told) {
  insert({.verb = name_of(request.verb),
          .gid = request.gid,
          .body = api::body_of(request),
          .reason = request.reason},
         std::move(told));
}

void PostBox::submit(Description description, std::string gid, Told told) {
  auto body = api::body_of(description);
  if (!body) return world_.fail("a description has no body: " + body.error().detail);
  insert({.verb = "submit", .gid = std::move(gid), .body = std::move(*body), .reason = {}},
         std::move(told));
}

void PostBox::insert(const Draft& draft, Told told) {
  auto& row = rows_.emplace_back();
  row.mark = fmt::format("operator {}", rows_.size());
  row.gid = draft.gid;
  row.told = std::move(told);
  const auto done = run_insert(draft, row.mark);
  row.certain = done.has_value();
  world_.note("posted {} {} by {}: {}", draft.verb, draft.gid, row.mark,
              done ? "done" : done.error().detail);
}

Result<> PostBox::run_insert(const Draft& draft, const std::string& mark) const {
  auto database = open();
  if (!database) return database.error();
  auto insert = sqlite::Statement::prepare(database->handle(), kInsert);
  if (!insert) return insert.error();
  insert->bind_text(1, draft.verb);
  insert->bind_text(2, draft.gid);
  insert->bind_text(3, draft.body);
  insert->bind_text(4, draft.reason);
  insert->bind_text(5, mark);
  return insert->run();
}

Result<std::vector<PostBox::Seen>> PostBox::read() const {
  auto database = open();
  if (!database) return database.error();
  auto rows = sqlite::Statement::prepare(database->handle(), kRead);
  if (!rows) return rows.error();
  std::vector<Seen> seen;
  while (true) {
    auto row = rows->step();
    if (!row) return row.error();
    if (!*row) return seen;
    seen.push_back({std::string(rows->bytes(0)), rows->integer(1) != 0, std::string(rows->bytes(2)),
                    std::string(rows->bytes(3)), std::string(rows->bytes(4))});
  }
}

void PostBox::look() {
  if (rows_.empty()) return;
  const auto seen = read();
  if (!seen) return world_.note("the answers cannot be read: {}", seen.error().detail);
  for (auto& row : rows_) {
    const auto found = std::find_if(seen->begin(), seen->end(),
                                    [&](const Seen& one) { return one.mark == row.mark; });
    compare(row, found == seen->end() ? nullptr : &*found);
  }
}

// Answers are kept for a day, as the engine sees days pass.
bool PostBox::may_sweep() const { return !plan_.jumps.empty() || plan_.clock_start_percent != 0; }

// A disk that fails may also forget what was synced, see test::FailedSync. Nothing is promised then
// to whoever commits behind a hole.
void PostBox::compare(Row& row, const Seen* seen) {
  if (seen == nullptr) {
    const bool must_be_there = row.certain && plan_.disk.empty() && !may_sweep();
    if (must_be_there) return world_.fail(row.mark + ": what was posted is gone");
    if (row.is_told || world_.now_ms() < gone_from_ms_) return;
    const bool was_swept = row.certain && may_sweep();
    return tell(row, {std::nullopt, !was_swept, was_swept, {}});
  }
  if (row.answer && (!seen->answered || *row.answer != seen->answer || row.gid != seen->gid)) {
    if (!plan_.disk.empty() && !seen->answered) return;  // as above
    return world_.fail(fmt::format("{}: the answer was {} for {}, and is {} for {}", row.mark,
                                   *row.answer, row.gid, seen->answer, seen->gid));
  }
  if (seen->answered && !row.answer) take_answer(row, *seen);
}

void PostBox::take_answer(Row& row, const Seen& seen) {
  world_.note("answered {}: {} {}", row.mark, seen.answer, seen.detail);
  if (!row.gid.empty() && seen.gid != row.gid)
    world_.fail(row.mark + ": the answer is about " + seen.gid);
  row.answer = seen.answer;
  row.gid = seen.gid;
  const auto code =
      seen.answer == kTaken ? std::optional<ErrorCode>() : error_code_from(seen.answer);
  if (seen.answer != kTaken && !code)
    world_.fail(row.mark + ": the answer '" + seen.answer + "' is unknown");
  tell(row, {code, false, false, seen.gid});
}

void PostBox::tell(Row& row, const Posted& posted) {
  row.is_told = true;
  row.told(posted);
}

bool PostBox::all_answered() const {
  return std::all_of(rows_.begin(), rows_.end(), [](const Row& row) { return row.is_told; });
}

std::string PostBox::unsettled() const {
  std::string marks;
  for (const auto& row : rows_)
    if (!row.is_told) marks += " " + row.mark + " (" + row.gid + ")";
  return marks;
}

}  // namespace belay::sim
