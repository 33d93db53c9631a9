#include "store/fold.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/apply.h"
#include "core/codec.h"

namespace belay::store {
namespace {

constexpr std::string_view kReadLog = "SELECT lsn, records FROM log WHERE lsn >= ?1 ORDER BY lsn";
constexpr std::string_view kFindRow =
    "SELECT lsn, status, state, stuck FROM main.transaction_rows WHERE id = ?1";
// Finds the row through the index of gids; if there are two rows, the newer one counts.
constexpr std::string_view kFindGid =
    "SELECT id, lsn FROM main.transaction_rows WHERE gid = ?1 ORDER BY id DESC LIMIT 1";
constexpr std::string_view kFindNewer =
    "SELECT 1 FROM main.transaction_rows WHERE gid = ?1 AND id > ?2";
constexpr std::string_view kRowIdMax = "SELECT max(id) FROM main.transaction_rows";

Error at_lsn(core::Lsn lsn, const Error& error) {
  return {error.code, fmt::format("log row {}: {}", lsn, error.detail)};
}

}  // namespace

Result<Fold> Fold::read(sqlite3* db) {
  Fold fold;
  BELAY_TRY(fold.read_log(db));
  BELAY_TRY(fold.check_ends());
  BELAY_TRY(fold.leave_out_replaced(db));
  return fold;
}

Result<Fold> Fold::read_one(sqlite3* db, std::string_view gid) {
  Fold fold;
  BELAY_TRY(fold.find_only(db, gid));
  BELAY_TRY(fold.read_log(db));
  BELAY_TRY(fold.check_ends());
  fold.only_->gid = {};  // the text belongs to the caller
  return fold;
}

Result<> Fold::find_only(sqlite3* db, std::string_view gid) {
  auto find = sqlite::Statement::prepare(db, kFindGid);
  if (!find) return find.error();
  find->bind_text(1, gid);
  auto row = find->step();
  if (!row) return row.error();
  only_ = Only{gid};
  if (*row) only_ = Only{gid, find->number(0), find->number(1)};
  return {};
}

Result<> Fold::read_log(sqlite3* db) {
  BELAY_TRY(prepare(db));
  auto log = sqlite::Statement::prepare(db, kReadLog);
  if (!log) return log.error();
  log->bind(1, only_ ? only_->row_lsn : core::Lsn{0});
  while (true) {
    auto row = log->step();
    if (!row) return row.error();
    if (!*row) break;
    const auto lsn = log->number(0);
    if (auto added = add_batch(lsn, log->bytes(1)); !added) return at_lsn(lsn, added.error());
  }
  find_row_ = sqlite::Statement();
  return {};
}

// Also determines the transaction: one that begins later takes the gid over.
Result<bool> Fold::concerns(const core::Record& record) {
  if (!only_) return true;
  if (core::begins(record.kind) && record.id > only_->id) {
    auto gid = core::Definition::gid_of(record.text);
    if (!gid) return gid.error();
    if (*gid == only_->gid) {
      only_->id = record.id;
      entries_.clear();
    }
  }
  return record.id == only_->id;
}

Result<> Fold::prepare(sqlite3* db) {
  auto find = sqlite::Statement::prepare(db, kFindRow);
  if (!find) return find.error();
  find_row_ = std::move(*find);
  auto max = sqlite::Statement::prepare(db, kRowIdMax);
  if (!max) return max.error();
  auto row = max->step();
  if (!row) return row.error();
  row_id_max_ = last_id_ = max->number(0);
  return {};
}

Result<> Fold::add_batch(core::Lsn lsn, std::string_view records) {
  auto batch = core::BatchReader::open(records);
  if (!batch) return batch.error();
  while (true) {
    auto record = only_ ? batch->next_of(only_->id) : batch->next();
    if (!record) return record.error();
    if (!*record) break;
    newest_at_ = std::max(newest_at_, (*record)->at);
    auto mine = concerns(**record);
    if (!mine) return mine.error();
    if (!*mine) continue;
    BELAY_TRY(add(lsn, **record));
    ++records_;
  }
  last_lsn_ = lsn;
  ++log_rows_;
  log_bytes_ += records.size();
  return {};
}

Result<> Fold::add(core::Lsn lsn, const core::Record& record) {
  auto found = entries_.find(record.id);
  const bool is_new = found == entries_.end();
  if (is_new) {
    auto entry = first_seen(record);
    if (!entry) return entry.error();
    found = entries_.emplace(record.id, std::move(*entry)).first;
    last_id_ = std::max(last_id_, record.id);
  }
  auto& [folded, kind] = found->second;
  if (folded.row_lsn >= lsn) return {};  // a row has this record and later ones
  if (kind == Kind::headless || kind == Kind::headless_ended) {
    kind = record.kind == core::RecordKind::finished ? Kind::headless_ended : Kind::headless;
    return {};
  }
  if (kind == Kind::covered) {
    return Error{ErrorCode::corrupt,
                 fmt::format("transaction {} goes on after its end", record.id)};
  }
  const bool begins = is_new && folded.row_lsn == 0;  // `first_seen` has applied it
  if (!begins) BELAY_TRY(core::apply(folded.transaction, record));
  if (folded.first_lsn == 0) folded.first_lsn = lsn;
  folded.last_lsn = lsn;
  return {};
}

Result<Fold::Entry> Fold::first_seen(const core::Record& record) {
  Entry entry;
  bool has_row = false;
  if (record.id <= row_id_max_) {
    find_row_.bind(1, record.id);
    const sqlite::ResetAtEnd reset(find_row_);
    auto row = find_row_.step();
    if (!row) return row.error();
    has_row = *row;
    if (has_row) {
      entry.folded.row_lsn = entry.folded.last_lsn = find_row_.number(0);
      entry.folded.row_status = static_cast<Status>(find_row_.integer(1));
      entry.folded.row_stuck = find_row_.integer(3) != 0;
      if (is_final(entry.folded.row_status)) {
        entry.kind = Kind::covered;
        return entry;
      }
      auto transaction = core::decode_snapshot(find_row_.bytes(2));
      if (!transaction) {
        return Error{transaction.error().code, fmt::format("the row of transaction {}: {}",
                                                           record.id, transaction.error().detail)};
      }
      entry.folded.transaction = std::move(*transaction);
      return entry;
    }
  }
  if (!core::begins(record.kind)) {
    entry.kind = Kind::headless;
    return entry;
  }
  auto begun = core::begin(record);
  if (!begun) return begun.error();
  entry.folded.transaction = std::move(*begun);
  return entry;
}

Result<> Fold::check_ends() const {
  for (const auto& [id, entry] : entries_) {
    if (entry.kind != Kind::headless) continue;
    return Error{
        ErrorCode::corrupt,
        fmt::format("the log goes on with transaction {}, which has neither a row nor a beginning",
                    id)};
  }
  return {};
}

// Only a finished transaction can be replaced: as long as a transaction is unfinished, the engine
// has its gid in memory, and answers a second submit with it. So a newer transaction of the gid
// begins after the end of the older one. A transaction with a row cannot be replaced either: a
// second submit finds the row.
Result<> Fold::leave_out_replaced(sqlite3* db) {
  std::vector<Entry*> candidates;
  std::unordered_map<std::string_view, core::TransactionId> newest;
  for (auto& [id, entry] : entries_) {
    if (!entry.only_in_log() || !entry.folded.transaction.finished()) continue;
    candidates.push_back(&entry);
    newest.emplace(entry.folded.transaction.gid(), id);
  }
  if (candidates.empty()) return {};
  for (const auto& [id, entry] : entries_) {
    if (!entry.only_in_log()) continue;
    const auto found = newest.find(entry.folded.transaction.gid());
    if (found != newest.end()) found->second = std::max(found->second, id);
  }
  auto find = sqlite::Statement::prepare(db, kFindNewer);
  if (!find) return find.error();
  for (auto* entry : candidates) {
    const auto& transaction = entry->folded.transaction;
    auto replaced = has_newer_row(*find, transaction);
    if (!replaced) return replaced.error();
    if (*replaced || newest.at(transaction.gid()) != transaction.id) entry->kind = Kind::replaced;
  }
  return {};
}

Result<bool> Fold::has_newer_row(sqlite::Statement& find,
                                 const core::Transaction& transaction) const {
  if (transaction.id >= row_id_max_) return false;
  find.bind_text(1, transaction.gid());
  find.bind(2, transaction.id);
  const sqlite::ResetAtEnd reset(find);
  return find.step();
}

std::vector<Folded*> Fold::changed() {
  std::vector<Folded*> changed;
  changed.reserve(entries_.size());
  for (auto& [id, entry] : entries_) {
    if (entry.kind == Kind::live && entry.folded.first_lsn != 0) changed.push_back(&entry.folded);
  }
  std::sort(changed.begin(), changed.end(),
            [](const Folded* a, const Folded* b) { return a->transaction.id < b->transaction.id; });
  return changed;
}

bool Fold::has_changed(core::TransactionId id) const {
  const auto found = entries_.find(id);
  return found != entries_.end() && found->second.kind == Kind::live &&
         found->second.folded.first_lsn != 0;
}

Folded* Fold::find(core::TransactionId id) {
  const auto found = entries_.find(id);
  return found == entries_.end() || found->second.kind != Kind::live ? nullptr
                                                                     : &found->second.folded;
}

Folded* Fold::find(std::string_view gid) {
  if (by_gid_.empty()) {
    for (auto* folded : changed()) by_gid_[folded->transaction.gid()] = folded;
  }
  const auto found = by_gid_.find(gid);
  return found == by_gid_.end() ? nullptr : found->second;
}

}  // namespace belay::store
