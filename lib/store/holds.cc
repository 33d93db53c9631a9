#include "store/holds.h"

#include <utility>

#include "store/schema.h"

namespace belay::store {
namespace {

constexpr std::string_view kUpsertHold =
    "INSERT OR REPLACE INTO main.belay_holds(target, reason, asked_by, held_at) "
    "VALUES(?1, ?2, ?3, ?4)";
constexpr std::string_view kEraseHold = "DELETE FROM main.belay_holds WHERE target = ?1";
constexpr std::string_view kReadHolds =
    "SELECT target, reason, asked_by, held_at FROM main.belay_holds ORDER BY target";

}  // namespace

Result<HoldWriter> HoldWriter::prepare(sqlite3* db) {
  HoldWriter writer;
  for (const auto& [sql, into] :
       {std::pair{kUpsertHold, &writer.upsert_}, {kEraseHold, &writer.erase_}}) {
    auto statement = sqlite::Statement::prepare(db, sql);
    if (!statement) return statement.error();
    *into = std::move(*statement);
  }
  return writer;
}

Result<> HoldWriter::write(const ports::HoldChange& change) {
  const auto& hold = change.hold;
  auto& statement = change.releases ? erase_ : upsert_;
  statement.bind_text(1, hold.target);
  if (change.releases) return statement.run();
  statement.bind_text(2, hold.reason);
  statement.bind_text(3, hold.asked_by);
  statement.bind(4, static_cast<std::uint64_t>(hold.at.time_since_epoch().count()));
  return statement.run();
}

Result<std::vector<Hold>> read_holds(sqlite::Database& database) {
  std::vector<Hold> holds;
  auto version = database.integer("PRAGMA main.user_version");
  if (!version) return version.error();
  if (*version < kHoldsSince) return holds;
  auto rows = sqlite::Statement::prepare(database.handle(), kReadHolds);
  if (!rows) return rows.error();
  while (true) {
    auto row = rows->step();
    if (!row) return row.error();
    if (!*row) return holds;
    holds.push_back({std::string(rows->bytes(0)), std::string(rows->bytes(1)),
                     std::string(rows->bytes(2)), TimePoint(Millis(rows->integer(3)))});
  }
}

}  // namespace belay::store
