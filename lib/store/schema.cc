#include "store/schema.h"

#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>

namespace belay::store {
namespace {

// The engine writes the table `transaction_rows`: numbers instead of names, arrays instead of
// objects. People query the views, which show the names and are always of the newest version. The
// columns are ordered so that those that lists need come first, and those that may spill to other
// pages come last.
//
// definition.steps: for each branch [first target, rollback target, payload, options, commit
// target, the caller's own id], without empty values at the end. definition.before_edits: the steps
// that an operator has edited, by their numbers from 1, as they were before. definition.query: the
// index of a message's back-check in steps. branches: for each branch [first op's state, attempts,
// second op's state, attempts, due_at, last_error, parked], without zeros at the end. timeline: for
// each event [kind, ms since created_at, branch or 0, op, outcome or status, detail, repeats],
// likewise. progress: for each step of a workflow [branch_id, op, status, data, ms since
// created_at]; the step's event in the timeline has the step's index as its branch.
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

// Version 2 adds workflows.
constexpr const char* kVersion2 = R"(
ALTER TABLE transaction_rows ADD COLUMN progress TEXT;
ALTER TABLE transaction_rows ADD COLUMN result;
)";

// Version 3 adds the topics themselves, which stay without subscribers. Their times are in ms since
// the epoch; 0: not known.
constexpr const char* kVersion3 = R"(
CREATE TABLE topic_rows(
  topic TEXT PRIMARY KEY NOT NULL,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO topic_rows SELECT DISTINCT topic, 1, 0, 0 FROM topics;
)";

// Version 4 adds the requests of other processes, and the targets that an operator holds.
// Applications put tables of their own into the file, so their names begin with belay's. The index
// finds the requests without an answer in the order of their ids, and the oldest answers.
constexpr const char* kVersion4 = R"(
CREATE TABLE belay_requests(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  verb TEXT NOT NULL,
  gid TEXT,
  body TEXT,
  reason TEXT,
  asked_by TEXT,
  asked_at INTEGER NOT NULL
    DEFAULT (CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)),
  answered_at INTEGER,
  answer TEXT,
  detail TEXT
);
CREATE INDEX belay_requests_by_answer ON belay_requests(answered_at);
CREATE INDEX belay_requests_orders ON belay_requests(id)
  WHERE answered_at IS NULL AND verb <> 'submit';
CREATE INDEX belay_requests_submits ON belay_requests(gid, id)
  WHERE answered_at IS NULL AND verb = 'submit';
CREATE TABLE belay_holds(
  target TEXT PRIMARY KEY NOT NULL,
  reason TEXT NOT NULL,
  asked_by TEXT NOT NULL,
  held_at INTEGER NOT NULL
) WITHOUT ROWID;
)";

// The views take time linear in the size of a row: SQLite finds a value in an array only by walking
// to its index. So `branches` puts each step and its state into one array that is walked once, and
// `timeline` does the same with each event and the name of its branch. json_each over an array with
// one value stores a result that would otherwise be computed again for every row.
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
  t.id AS id, t.gid AS gid, json_extract(b.value, '$[2]') + 1 AS number, o.op AS op,
  json_extract(b.value, '$[2]') IS query.value AS is_query,
  coalesce(json_extract(b.value, o.target), '') AS target,
  json_extract(b.value, '$[0][2]') AS payload,
  json_extract(b.value, '$[0][5]') AS own_id,
  CASE o.phase WHEN 1 THEN coalesce(json_extract(b.value, '$[1][0]'), 0)
    WHEN second.value THEN coalesce(json_extract(b.value, '$[1][2]'), 0) ELSE 0 END AS state,
  CASE o.phase WHEN 1 THEN coalesce(json_extract(b.value, '$[1][1]'), 0)
    WHEN second.value THEN coalesce(json_extract(b.value, '$[1][3]'), 0) ELSE 0 END AS attempts,
  o.phase = CASE WHEN coalesce(json_extract(b.value, '$[1][2]'), 0) = 0 THEN 1
    ELSE second.value END AS is_current,
  json_extract(b.value, '$[1][4]') AS due_at,
  json_extract(b.value, '$[1][5]') AS last_error,
  coalesce(json_extract(b.value, '$[1][6]'), 0) AS parked
FROM transaction_rows t
  CROSS JOIN json_each(json_array(json_extract(t.definition, '$.query'))) query
  CROSS JOIN json_each(json_array(
    CASE WHEN t.mode IN (1, 2) AND (t.status IN (1, 3) OR (t.status = 4 AND EXISTS (
      SELECT 1 FROM json_each(t.timeline) e WHERE json_extract(e.value, '$[0]') = 9)))
    THEN 3 ELSE 2 END)) second
  CROSS JOIN json_each((
    SELECT json_group_array(json_array(json(step), json(state), n)) FROM (
      SELECT n, max(step) AS step, max(state) AS state FROM (
        SELECT key AS n, value AS step, NULL AS state FROM json_each(t.definition, '$.steps')
        UNION ALL SELECT key, NULL, value FROM json_each(t.branches))
      GROUP BY n HAVING max(step) IS NOT NULL AND max(state) IS NOT NULL))) b
  CROSS JOIN (
    SELECT 0 AS mode, 1 AS phase, 'action' AS op, '$[0][0]' AS target
    UNION ALL SELECT 0, 2, 'compensate', '$[0][1]'
    UNION ALL SELECT 1, 1, 'try', '$[0][0]'
    UNION ALL SELECT 1, 2, 'cancel', '$[0][1]'
    UNION ALL SELECT 1, 3, 'confirm', '$[0][4]'
    UNION ALL SELECT 2, 1, 'prepare', '$[0][0]'
    UNION ALL SELECT 2, 2, 'rollback', '$[0][1]'
    UNION ALL SELECT 2, 3, 'commit', '$[0][4]'
    UNION ALL SELECT 3, 1, 'action', '$[0][0]'
    UNION ALL SELECT 4, 1, 'query', '$[0][0]') o ON o.mode = t.mode);

CREATE VIEW timeline AS SELECT
  id, gid, seq, at,
  CASE kind WHEN 1 THEN 'submitted' WHEN 2 THEN 'started'
    WHEN 3 THEN 'answered' WHEN 4 THEN 'parked' WHEN 5 THEN 'aborting' WHEN 6 THEN 'finished'
    WHEN 7 THEN 'prepared' WHEN 8 THEN 'added' WHEN 9 THEN 'committing'
    WHEN 10 THEN 'stopped' WHEN 12 THEN 'progressed' WHEN 13 THEN 'concluded'
    WHEN 15 THEN 'replayed' WHEN 16 THEN 'resolved' WHEN 17 THEN 'edited' END AS event,
  CASE WHEN kind = 12 THEN name WHEN branch > 0
    THEN CASE op WHEN 8 THEN '00' ELSE coalesce(name, printf('%02d', branch)) END END AS branch_id,
  CASE WHEN kind = 12 THEN step_op WHEN branch > 0 AND kind != 8
    THEN CASE coalesce(op, 0) WHEN 0 THEN 'action'
      WHEN 1 THEN 'compensate' WHEN 2 THEN 'try' WHEN 3 THEN 'confirm' WHEN 4 THEN 'cancel'
      WHEN 5 THEN 'prepare' WHEN 6 THEN 'commit' WHEN 7 THEN 'rollback' WHEN 8 THEN 'query'
      END END AS op,
  CASE CASE kind WHEN 16 THEN 3 ELSE kind END
    WHEN 3 THEN CASE coalesce(result, 0) WHEN 0 THEN 'success'
      WHEN 1 THEN 'failure' WHEN 2 THEN 'ongoing' WHEN 3 THEN 'unknown' END
    WHEN 6 THEN CASE result WHEN 3 THEN 'succeed' WHEN 4 THEN 'failed' END
    WHEN 12 THEN step_status END AS outcome,
  detail, repeats
FROM (SELECT t.id AS id, t.gid AS gid, json_extract(e.value, '$[4]') AS seq,
  t.created_at + coalesce(json_extract(e.value, '$[0][1]'), 0) AS at,
  json_extract(e.value, '$[0][0]') AS kind,
  json_extract(e.value, '$[0][2]') AS branch,
  json_extract(e.value, '$[0][3]') AS op,
  json_extract(e.value, '$[0][4]') AS result,
  nullif(json_extract(e.value, '$[0][5]'), '') AS detail,
  coalesce(json_extract(e.value, '$[0][6]'), 1) AS repeats,
  json_extract(e.value, '$[1]') AS name,
  json_extract(e.value, '$[2]') AS step_op,
  json_extract(e.value, '$[3]') AS step_status
FROM transaction_rows t CROSS JOIN json_each((
  SELECT json_group_array(json_array(json(event), name, op, status, seq)) FROM (
    SELECT seq, event, max(name) OVER b AS name, max(op) OVER b AS op, max(status) OVER b AS status
    FROM (
      SELECT key AS seq, value AS event, json_extract(value, '$[0]') = 12 AS of_progress,
        json_extract(value, '$[2]') AS branch, NULL AS name, NULL AS op, NULL AS status
        FROM json_each(t.timeline)
      UNION ALL SELECT NULL, NULL, 0, key + 1, json_extract(value, '$[5]'), NULL, NULL
        FROM json_each(t.definition, '$.steps')
      UNION ALL SELECT NULL, NULL, 1, key + 1, json_extract(value, '$[0]'),
        json_extract(value, '$[1]'), json_extract(value, '$[2]') FROM json_each(t.progress))
    WINDOW b AS (PARTITION BY of_progress, branch))
  WHERE seq IS NOT NULL)) e);

CREATE VIEW progress AS SELECT
  t.id AS id, t.gid AS gid, p.key AS seq,
  json_extract(p.value, '$[0]') AS branch_id, json_extract(p.value, '$[1]') AS op,
  json_extract(p.value, '$[2]') AS status, json_extract(p.value, '$[3]') AS data,
  t.created_at + json_extract(p.value, '$[4]') AS at
FROM transaction_rows t CROSS JOIN json_each(t.progress) p;
)";

constexpr std::int64_t kViewCount = 4;
constexpr std::string_view kNewestViews =
    "SELECT count(*) FROM main.sqlite_schema WHERE type = 'view' AND instr(?1, sql) > 0";

// Entry n migrates version n to n + 1. A released entry is never edited.
constexpr std::array<const char*, kSchemaVersion> kMigrations = {kVersion1, kVersion2, kVersion3,
                                                                 kVersion4};

// True if the views in the file were made from `kViews`. SQLite stores their text as it was
// written.
Result<bool> has_newest_views(sqlite::Database& database) {
  auto count = sqlite::Statement::prepare(database.handle(), kNewestViews);
  if (!count) return count.error();
  count->bind_text(1, kViews);
  auto row = count->step();
  if (!row) return row.error();
  return count->integer(0) == kViewCount;
}

Result<> renew_views(sqlite::Database& database) {
  auto newest = has_newest_views(database);
  if (!newest) return newest.error();
  if (*newest) return {};
  BELAY_TRY(database.run("BEGIN IMMEDIATE"));
  BELAY_TRY(database.run(kViews));
  return database.run("COMMIT");
}

}  // namespace

Result<FileKind> identify(sqlite::Database& database) {
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

Result<> migrate(sqlite::Database& database, FileKind kind) {
  std::int64_t version = 0;
  if (kind == FileKind::ours) {
    auto stored = database.integer("PRAGMA user_version");
    if (!stored) return stored.error();
    version = *stored;
  }
  if (version == kSchemaVersion) return renew_views(database);
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

}  // namespace belay::store
