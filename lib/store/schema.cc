#include "store/schema.h"

#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>

namespace belay::store {
namespace {

// `transaction_rows` is what the engine writes: numbers for words, arrays for objects. People query
// the views, which give the words and are always of the newest version. Column order: what lists
// need first, what may spill to other pages last.
//
// definition.steps: per branch [first target, rollback target, payload, options, commit target,
// its caller's own id], what is empty at the end left out; definition.query: the place of a
// message's back-check among them. branches: per branch [first op's state, attempts, second op's
// state, attempts, due_at, last_error, parked], what is 0 at the end left out. timeline: per event
// [kind, ms since created_at, branch or 0, op, outcome or status, detail, repeats], likewise.
// progress: per step of a workflow [branch_id, op, status, data, ms since created_at]; its event in
// the timeline has the place among them as its branch.
constexpr const char* kVersion1 = R"(
CREATE TABLE log(lsn INTEGER PRIMARY KEY, records BLOB NOT NULL);
CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE topics(
  topic TEXT NOT NULL, target TEXT NOT NULL, remark TEXT NOT NULL,
  PRIMARY KEY(topic, target)
) WITHOUT ROWID;
CREATE TABLE transaction_rows(
  id INTEGER PRIMARY KEY,
  gid TEXT NOT NULL UNIQUE,
  mode INTEGER NOT NULL CHECK(mode BETWEEN 0 AND 4),
  status INTEGER NOT NULL CHECK(status BETWEEN 0 AND 4),
  stuck INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  due_at INTEGER,
  attempts INTEGER NOT NULL,
  last_error TEXT,
  trace_id TEXT,
  lsn INTEGER NOT NULL,
  definition_hash INTEGER NOT NULL,
  definition TEXT NOT NULL,
  branches TEXT NOT NULL,
  timeline TEXT NOT NULL,
  state BLOB
);
CREATE INDEX unfinished_rows ON transaction_rows(id, status, stuck) WHERE status < 3;
CREATE INDEX failed_rows ON transaction_rows(id) WHERE status = 4;
)";

// Workflows.
constexpr const char* kVersion2 = R"(
ALTER TABLE transaction_rows ADD COLUMN progress TEXT;
ALTER TABLE transaction_rows ADD COLUMN result;
)";
constexpr std::string_view kColumnsOfVersion2 = ", NULL AS progress, NULL AS result";

constexpr const char* kViews = R"(
DROP VIEW IF EXISTS transactions;
DROP VIEW IF EXISTS branches;
DROP VIEW IF EXISTS timeline;
DROP VIEW IF EXISTS progress;

CREATE VIEW transactions AS SELECT
  id, gid,
  CASE mode WHEN 0 THEN 'saga' WHEN 1 THEN 'tcc' WHEN 2 THEN 'xa' WHEN 3 THEN 'msg'
    WHEN 4 THEN 'workflow' END AS mode,
  CASE status WHEN 0 THEN 'prepared' WHEN 1 THEN 'submitted' WHEN 2 THEN 'aborting'
    WHEN 3 THEN 'succeed' WHEN 4 THEN 'failed' END AS status,
  stuck, created_at, updated_at, CASE WHEN status >= 3 THEN updated_at END AS finished_at,
  due_at, attempts, last_error, trace_id, lsn, definition_hash, definition, branches, timeline,
  progress, result
FROM transaction_rows;

CREATE VIEW branches AS SELECT
  id, gid,
  CASE WHEN is_query THEN '00' ELSE coalesce(own_id, printf('%02d', number)) END AS branch_id,
  CASE WHEN is_query THEN 'query' ELSE op END AS op,
  target,
  CASE WHEN parked AND is_current THEN 'parked'
    ELSE CASE state WHEN 0 THEN 'idle' WHEN 1 THEN 'started' WHEN 2 THEN 'succeed'
      WHEN 3 THEN 'failed' END END AS status,
  attempts,
  CASE WHEN is_current THEN nullif(last_error, '') END AS last_error,
  CASE WHEN is_current THEN nullif(due_at, 0) END AS due_at,
  payload
FROM (SELECT
  t.id AS id, t.gid AS gid, s.key + 1 AS number, o.op AS op,
  s.key IS json_extract(t.definition, '$.query') AS is_query,
  coalesce(json_extract(s.value, o.target), '') AS target,
  json_extract(s.value, '$[2]') AS payload,
  json_extract(s.value, '$[5]') AS own_id,
  CASE o.phase WHEN 1 THEN coalesce(json_extract(b.value, '$[0]'), 0)
    WHEN t.second
    THEN coalesce(json_extract(b.value, '$[2]'), 0) ELSE 0 END AS state,
  CASE o.phase WHEN 1 THEN coalesce(json_extract(b.value, '$[1]'), 0)
    WHEN t.second
    THEN coalesce(json_extract(b.value, '$[3]'), 0) ELSE 0 END AS attempts,
  o.phase = CASE WHEN coalesce(json_extract(b.value, '$[2]'), 0) = 0 THEN 1
    ELSE t.second END AS is_current,
  json_extract(b.value, '$[4]') AS due_at,
  json_extract(b.value, '$[5]') AS last_error,
  coalesce(json_extract(b.value, '$[6]'), 0) AS parked
FROM (SELECT *,
    CASE WHEN mode IN (1, 2) AND (status IN (1, 3) OR (status = 4 AND EXISTS (
      SELECT 1 FROM json_each(timeline) e WHERE json_extract(e.value, '$[0]') = 9)))
    THEN 3 ELSE 2 END AS second FROM transaction_rows) t
  CROSS JOIN json_each(t.definition, '$.steps') s
  CROSS JOIN json_each(t.branches) b ON b.key = s.key
  CROSS JOIN (
    SELECT 0 AS mode, 1 AS phase, 'action' AS op, '$[0]' AS target
    UNION ALL SELECT 0, 2, 'compensate', '$[1]'
    UNION ALL SELECT 1, 1, 'try', '$[0]'
    UNION ALL SELECT 1, 2, 'cancel', '$[1]'
    UNION ALL SELECT 1, 3, 'confirm', '$[4]'
    UNION ALL SELECT 2, 1, 'prepare', '$[0]'
    UNION ALL SELECT 2, 2, 'rollback', '$[1]'
    UNION ALL SELECT 2, 3, 'commit', '$[4]'
    UNION ALL SELECT 3, 1, 'action', '$[0]'
    UNION ALL SELECT 4, 1, 'query', '$[0]') o ON o.mode = t.mode);

CREATE VIEW timeline AS SELECT
  t.id AS id, t.gid AS gid, e.key AS seq,
  t.created_at + coalesce(json_extract(e.value, '$[1]'), 0) AS at,
  CASE json_extract(e.value, '$[0]') WHEN 1 THEN 'submitted' WHEN 2 THEN 'started'
    WHEN 3 THEN 'answered' WHEN 4 THEN 'parked' WHEN 5 THEN 'aborting' WHEN 6 THEN 'finished'
    WHEN 7 THEN 'prepared' WHEN 8 THEN 'added' WHEN 9 THEN 'committing'
    WHEN 10 THEN 'stopped' WHEN 12 THEN 'progressed' WHEN 13 THEN 'concluded' END AS event,
  CASE WHEN json_extract(e.value, '$[0]') = 12
    THEN json_extract(t.progress, '$[' || (json_extract(e.value, '$[2]') - 1) || '][0]')
    WHEN json_extract(e.value, '$[2]') > 0
    THEN CASE json_extract(e.value, '$[3]') WHEN 8 THEN '00'
      ELSE coalesce(json_extract(t.definition,
        '$.steps[' || (json_extract(e.value, '$[2]') - 1) || '][5]'),
        printf('%02d', json_extract(e.value, '$[2]'))) END END AS branch_id,
  CASE WHEN json_extract(e.value, '$[0]') = 12
    THEN json_extract(t.progress, '$[' || (json_extract(e.value, '$[2]') - 1) || '][1]')
    WHEN json_extract(e.value, '$[2]') > 0 AND json_extract(e.value, '$[0]') != 8
    THEN CASE coalesce(json_extract(e.value, '$[3]'), 0) WHEN 0 THEN 'action'
      WHEN 1 THEN 'compensate' WHEN 2 THEN 'try' WHEN 3 THEN 'confirm' WHEN 4 THEN 'cancel'
      WHEN 5 THEN 'prepare' WHEN 6 THEN 'commit' WHEN 7 THEN 'rollback' WHEN 8 THEN 'query'
      END END AS op,
  CASE json_extract(e.value, '$[0]')
    WHEN 3 THEN CASE coalesce(json_extract(e.value, '$[4]'), 0) WHEN 0 THEN 'success'
      WHEN 1 THEN 'failure' WHEN 2 THEN 'ongoing' WHEN 3 THEN 'unknown' END
    WHEN 6 THEN CASE json_extract(e.value, '$[4]') WHEN 3 THEN 'succeed' WHEN 4 THEN 'failed' END
    WHEN 12 THEN json_extract(t.progress, '$[' || (json_extract(e.value, '$[2]') - 1) || '][2]')
    END AS outcome,
  nullif(json_extract(e.value, '$[5]'), '') AS detail,
  coalesce(json_extract(e.value, '$[6]'), 1) AS repeats
FROM transaction_rows t CROSS JOIN json_each(t.timeline) e;

CREATE VIEW progress AS SELECT
  t.id AS id, t.gid AS gid, p.key AS seq,
  json_extract(p.value, '$[0]') AS branch_id, json_extract(p.value, '$[1]') AS op,
  json_extract(p.value, '$[2]') AS status, json_extract(p.value, '$[3]') AS data,
  t.created_at + json_extract(p.value, '$[4]') AS at
FROM transaction_rows t CROSS JOIN json_each(t.progress) p;
)";

// Entry n leads from version n to n + 1. An entry that was released is never edited.
constexpr std::array<const char*, kSchemaVersion> kMigrations = {kVersion1, kVersion2};

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
  return text;
}

}  // namespace

Result<FileKind> identify(Database& database) {
  auto application = database.integer("PRAGMA application_id");
  if (!application) return application.error();
  auto version = database.integer("PRAGMA user_version");
  if (!version) return version.error();
  auto objects = database.integer("SELECT count(*) FROM sqlite_schema");
  if (!objects) return objects.error();
  if (*application == 0 && *version == 0 && *objects == 0) return FileKind::fresh;
  if (*application != kApplicationId) {
    return Error{
        ErrorCode::corrupt,
        fmt::format("the file is another program's database (application_id {}, {} objects)",
                    *application, *objects)};
  }
  if (*version > kSchemaVersion) {
    return Error{ErrorCode::unsupported,
                 fmt::format("the file has schema version {}, this belay knows versions up to {}",
                             *version, kSchemaVersion)};
  }
  if (*version < 1) {
    return Error{ErrorCode::corrupt, fmt::format("the file has schema version {}", *version)};
  }
  return FileKind::ours;
}

Result<> migrate(Database& database, FileKind kind) {
  std::int64_t version = 0;
  if (kind == FileKind::ours) {
    auto stored = database.integer("PRAGMA user_version");
    if (!stored) return stored.error();
    version = *stored;
  }
  if (version == kSchemaVersion) return {};
  BELAY_TRY(database.run("BEGIN IMMEDIATE"));
  for (; version < kSchemaVersion; ++version) {
    BELAY_TRY(database.run(kMigrations[static_cast<std::size_t>(version)]));
  }
  BELAY_TRY(database.run(kViews));
  BELAY_TRY(database.run(fmt::format("PRAGMA application_id={}; PRAGMA user_version={}; COMMIT",
                                     kApplicationId, kSchemaVersion)
                             .c_str()));
  return {};
}

Result<> make_overlay(Database& database) {
  const auto version = database.integer("PRAGMA main.user_version");
  if (!version) return version.error();
  auto table = database.text("SELECT sql FROM main.sqlite_schema WHERE name = 'transaction_rows'");
  if (!table) return table.error();
  table = replaced(std::move(*table), "CREATE TABLE transaction_rows", "CREATE TEMP TABLE overlay");
  BELAY_TRY(database.run(table->c_str()));
  const bool is_old = *version < 2;
  if (is_old)
    BELAY_TRY(database.run(replaced(kVersion2, "transaction_rows", "temp.overlay").c_str()));
  BELAY_TRY(database.run(fmt::format("CREATE TEMP VIEW transaction_rows AS SELECT *{} FROM"
                                     " main.transaction_rows WHERE id NOT IN (SELECT id FROM"
                                     " temp.overlay) UNION ALL SELECT * FROM temp.overlay",
                                     is_old ? kColumnsOfVersion2 : std::string_view())
                             .c_str()));
  const auto views = replaced(kViews, "DROP VIEW IF EXISTS ", "DROP VIEW IF EXISTS temp.");
  return database.run(replaced(views, "CREATE VIEW", "CREATE TEMP VIEW").c_str());
}

}  // namespace belay::store
