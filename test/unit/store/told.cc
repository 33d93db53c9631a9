#include "unit/store/told.h"

#include <doctest/doctest.h>

#include "unit/store/story.h"

namespace belay::test {

std::string text(const std::optional<TimePoint>& at) {
  return at ? std::to_string(at->time_since_epoch().count()) : "-";
}

std::string text(const TransactionRow& row) {
  return std::to_string(row.id) + "|" + row.gid + "|" + std::string(name_of(row.mode)) + "|" +
         std::string(name_of(row.status)) + "|" + (row.stuck ? "stuck" : "") + "|" +
         text(row.created_at) + "|" + text(row.updated_at) + "|" + text(row.finished_at) + "|" +
         text(row.due_at) + "|" + std::to_string(row.attempts) + "|" + row.last_error + "|" +
         row.obstacle + "|" + row.trace_id + "|" + row.definition;
}

std::string text(const BranchRow& row) {
  return row.branch_id + "|" + std::string(name_of(row.op)) + "|" + row.target + "|" + row.status +
         "|" + std::to_string(row.attempts) + "|" + row.last_error + "|" + text(row.due_at);
}

std::string text(const TimelineRow& row) {
  return text(row.at) + "|" + row.event + "|" + row.branch_id + "|" + row.op + "|" + row.outcome +
         "|" + row.detail + "|" + std::to_string(row.repeats);
}

Reader open_reader(const std::string& path) {
  auto reader = Reader::open(path);
  if (!reader) MESSAGE(reader.error().detail);
  REQUIRE(reader.has_value());
  return std::move(*reader);
}

void check_views(const std::string& path, const std::string& gid) {
  const auto where = " WHERE gid = '" + gid + "'";
  auto reader = open_reader(path);
  const auto whole = reader.read(gid);
  REQUIRE(whole.has_value());
  const auto joined = [](const auto& rows) {
    std::string all;
    for (const auto& row : rows) all += (all.empty() ? "" : "\n") + text(row);
    return all;
  };
  CHECK(joined(whole->branches) ==
        query(path,
              "SELECT branch_id, op, target, status, attempts, last_error, coalesce(due_at, '-')"
              " FROM branches" +
                  where));
  CHECK(joined(whole->timeline) ==
        query(path, "SELECT at, event, branch_id, op, outcome, detail, repeats FROM timeline" +
                        where + " ORDER BY seq"));
}

// Everything a reader says of the transactions.
std::string everything(Reader& reader) {
  const auto page = reader.list({});
  REQUIRE(page.has_value());
  std::string all;
  for (const auto& row : page->rows) {
    all += text(row) + "\n";
    const auto found = reader.find(row.gid);
    REQUIRE(found.has_value());
    CHECK(text(*found) == text(row));
    const auto whole = reader.read(row.gid);
    REQUIRE(whole.has_value());
    CHECK(text(whole->row) == text(row));
    for (const auto& branch : whole->branches) all += "  " + text(branch) + "\n";
    for (const auto& event : whole->timeline) all += "  " + text(event) + "\n";
  }
  const auto stats = reader.stats();
  REQUIRE(stats.has_value());
  all += std::to_string(stats->submitted) + " " + std::to_string(stats->aborting) + " " +
         std::to_string(stats->succeed) + " " + std::to_string(stats->failed) + " " +
         std::to_string(stats->stuck) + " " + text(stats->oldest_unfinished_at);
  return all;
}

}  // namespace belay::test
