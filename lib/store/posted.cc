#include "store/posted.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace belay::store {
namespace {

// One read: the bodies may take somewhat more.
constexpr std::size_t kRequestsPerRead = 512;
constexpr std::size_t kBytesPerRead = 4 * 1024 * 1024;
// The newest answers are kept; they are swept after so many new ones.
constexpr std::int64_t kAnswersKept = 10'000;
constexpr std::size_t kAnswersPerSweep = 4'096;

// Rows come from other programs: no text is read beyond its limit.
constexpr std::size_t kTextMax = 1'024;
constexpr std::string_view kRead =
    "SELECT id, substr(CAST(verb AS BLOB), 1, {1}), substr(CAST(gid AS BLOB), 1, {1}), "
    "CASE WHEN length(CAST(body AS BLOB)) <= {0} THEN CAST(body AS BLOB) END, "
    "substr(CAST(reason AS BLOB), 1, {1}), substr(CAST(asked_by AS BLOB), 1, {1}), "
    "length(CAST(body AS BLOB)) FROM main.belay_requests r INDEXED BY {2} "
    "WHERE answered_at IS NULL AND id > ?1 {3} ORDER BY id";
constexpr std::string_view kOrders =
    "AND verb <> 'submit' AND NOT EXISTS (SELECT 1 FROM main.belay_requests s WHERE s.answered_at "
    "IS NULL AND s.verb = 'submit' AND s.gid = r.gid AND s.id < r.id)";
// The body of what was taken is in the log; that of what was refused helps to find the fault.
constexpr std::string_view kAnswer =
    "UPDATE main.belay_requests SET answered_at = ?2, answer = ?3, detail = nullif(?4, ''), "
    "gid = coalesce(nullif(?5, ''), gid), body = CASE WHEN ?3 <> '{}' AND length(CAST(body AS "
    "BLOB)) <= 4096 THEN body END "
    "WHERE id = ?1";
constexpr std::string_view kSweepByCount =
    "DELETE FROM main.belay_requests WHERE id IN (SELECT id FROM main.belay_requests WHERE "
    "answered_at > 0 AND id <= (SELECT max(id) FROM main.belay_requests) - ?1 ORDER BY answered_at "
    "LIMIT ?2)";
constexpr std::string_view kSweepByAge =
    "DELETE FROM main.belay_requests WHERE id IN (SELECT id FROM main.belay_requests WHERE "
    "answered_at < ?1 LIMIT ?2)";
constexpr std::string_view kHasPosted =
    "SELECT EXISTS (SELECT 1 FROM main.belay_requests WHERE answered_at IS NULL)";

// Returns the bytes of the texts.
std::size_t cut_texts(ports::PostedRequest& request) {
  std::size_t bytes = 0;
  for (const auto& [name, text] : {std::pair{"verb", &request.verb},
                                   {"gid", &request.asked.gid},
                                   {"reason", &request.asked.reason},
                                   {"asked_by", &request.asked.asked_by}}) {
    bytes += text->size();
    if (text->size() <= kTextMax) continue;
    text->clear();
    request.wrong = Error{ErrorCode::invalid_argument,
                          fmt::format("the {} has more than {} bytes", name, kTextMax)};
  }
  return bytes;
}

}  // namespace

Result<PostedTable> PostedTable::prepare(sqlite3* db) {
  PostedTable table;
  table.db_ = db;
  for (const auto& [sql, into] :
       {std::pair{fmt::format(kRead, kPostedBodyMax, kTextMax + 1, "belay_requests_by_answer", ""),
                  &table.read_all_},
        {fmt::format(kRead, kPostedBodyMax, kTextMax + 1, "belay_requests_orders", kOrders),
         &table.read_orders_},
        {fmt::format(kAnswer, ports::kPostedTaken), &table.answer_},
        {std::string(kSweepByCount), &table.sweep_by_count_},
        {std::string(kSweepByAge), &table.sweep_by_age_}}) {
    auto statement = sqlite::Statement::prepare(db, sql);
    if (!statement) return statement.error();
    *into = std::move(*statement);
  }
  return table;
}

Result<ports::Store::Posted> PostedTable::read(const ports::Store::PostedQuery& query) {
  auto& rows = query.without_submits ? read_orders_ : read_all_;
  const sqlite::ResetAtEnd reset(rows);
  rows.bind(1, query.after);
  ports::Store::Posted posted;
  std::size_t bytes = 0;
  while (true) {
    auto row = rows.step();
    if (!row) return row.error();
    if (!*row) return posted;
    posted.more = posted.requests.size() == kRequestsPerRead || bytes >= kBytesPerRead;
    if (posted.more) return posted;
    auto& request = posted.requests.emplace_back();
    request.id = rows.integer(0);
    request.verb = rows.bytes(1);
    request.asked.gid = rows.bytes(2);
    request.body = rows.bytes(3);
    request.asked.reason = rows.bytes(4);
    request.asked.asked_by = rows.bytes(5);
    bytes += request.body.size() + cut_texts(request);
    if (rows.number(6) <= kPostedBodyMax) continue;
    request.wrong = Error{
        ErrorCode::definition_limit,
        fmt::format("the body has {} bytes, the limit is {}", rows.number(6), kPostedBodyMax)};
  }
}

Result<> PostedTable::write(const std::vector<ports::PostedAnswer>& answers) {
  for (const auto& answer : answers) {
    answer_.bind(1, answer.id);
    answer_.bind(2, answer.at);
    answer_.bind_text(3, answer.answer);
    answer_.bind_text(4, answer.detail);
    answer_.bind_text(5, answer.gid);
    BELAY_TRY(answer_.run());
  }
  since_sweep_ += answers.size();
  if (since_sweep_ < kAnswersPerSweep) return {};
  since_sweep_ = 0;
  sweep_by_count_.bind(1, kAnswersKept);
  sweep_by_count_.bind(2, std::int64_t{2 * kAnswersPerSweep});
  return sweep_by_count_.run();
}

Result<bool> PostedTable::sweep(std::uint64_t before) {
  sweep_by_age_.bind(1, before);
  sweep_by_age_.bind(2, std::int64_t{kAnswersPerSweep});
  BELAY_TRY(sweep_by_age_.run());
  return static_cast<std::size_t>(sqlite3_changes(db_)) == kAnswersPerSweep;
}

Result<bool> has_posted(sqlite::Database& database) {
  auto found = database.integer(kHasPosted);
  if (!found) return found.error();
  return *found != 0;
}

}  // namespace belay::store
