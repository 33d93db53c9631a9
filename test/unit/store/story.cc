#include "unit/store/story.h"

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <utility>

#include "core/apply.h"
#include "support/encode.h"

namespace belay::test {

Saga two_steps(std::string_view gid) {
  Saga saga{std::string(gid)};
  saga.step("bank.debit", "bank.undo_debit", R"({"amount":30})");
  saga.step("stock.reserve", "stock.release", R"({"sku":7})");
  return saga;
}

core::TransactionId Story::submit(Description description, core::Entry entry) {
  const auto& gid = core::draft_of(description).settings->gid;
  const auto definition = encode(description, gid, Limits{}, entry);
  REQUIRE(definition.has_value());
  core::Record record;
  record.kind =
      entry == core::Entry::prepare ? core::RecordKind::prepared : core::RecordKind::submitted;
  record.id = ++last_id_;
  record.at = now_;
  record.text = *definition;
  auto begun = core::begin(record);
  REQUIRE(begun.has_value());
  transactions_.emplace(record.id, std::move(*begun));
  newest_[record.id] = lsn_ + 1;
  writer_.add(record);
  return record.id;
}

void Story::write(core::Record record) {
  record.at = now_;
  REQUIRE(core::apply(transactions_.at(record.id), record).has_value());
  newest_[record.id] = lsn_ + 1;
  writer_.add(record);
}

void Story::decide(core::TransactionId id, const core::Event& event) {
  const Options options;
  const core::Context context{now_, 0, &options, &topics_};
  core::Step step;
  core::decide(transactions_.at(id), event, context, step);
  for (const auto& record : step.records) writer_.add(record);
  if (!step.records.empty()) newest_[id] = lsn_ + 1;
}

void Story::start(core::TransactionId id, std::uint32_t branch, Op op) {
  write({.kind = core::RecordKind::started, .id = id, .branch = branch, .op = op});
}

void Story::answer(core::TransactionId id, std::uint32_t branch, OutcomeKind outcome,
                   std::string_view reason, std::uint64_t due_at, Op op) {
  write({.kind = core::RecordKind::answered,
         .id = id,
         .branch = branch,
         .op = op,
         .outcome = outcome,
         .due_at = due_at,
         .text = reason});
}

void Story::park(core::TransactionId id, std::uint32_t branch, std::string_view why) {
  write({.kind = core::RecordKind::parked, .id = id, .branch = branch, .text = why});
}

void Story::abort(core::TransactionId id, std::string_view why) {
  write({.kind = core::RecordKind::aborting, .id = id, .text = why});
}

void Story::finish(core::TransactionId id, Status status) {
  write({.kind = core::RecordKind::finished, .id = id, .status = status});
}

void Story::succeed(core::TransactionId id) {
  for (std::uint32_t branch = 0; branch < at(id).branches.size(); ++branch) {
    start(id, branch);
    answer(id, branch, OutcomeKind::success);
  }
  finish(id, Status::succeed);
}

void Story::fail(core::TransactionId id, std::string_view why) {
  start(id, 0);
  answer(id, 0, OutcomeKind::failure, why);
  abort(id, why);
  start(id, 0, Op::compensate);
  answer(id, 0, OutcomeKind::success, {}, 0, Op::compensate);
  finish(id, Status::failed);
}

ports::Batch Story::batch() {
  ports::Batch batch;
  batch.lsn = ++lsn_;
  batch.records = writer_.take();
  return batch;
}

void Story::add_row(ports::Batch& batch, core::TransactionId id) const {
  const auto& transaction = at(id);
  ports::RowChange row;
  row.id = id;
  row.lsn = newest_.at(id);
  row.stuck = core::is_stuck(transaction, 3);
  row.due_at = core::next_due(transaction);
  if (transaction.finished()) {
    row.transaction = &transaction;
  } else {
    row.copy = std::make_unique<core::Transaction>(core::clone(transaction));
    row.transaction = row.copy.get();
  }
  batch.rows.push_back(std::move(row));
}

void Story::add_erase(ports::Batch& batch, core::TransactionId id) {
  ports::RowChange row;
  row.id = id;
  row.erase = true;
  batch.rows.push_back(std::move(row));
}

std::unique_ptr<store::Journal> open_journal(const store::JournalConfig& config) {
  auto journal = store::Journal::open(config);
  if (!journal) MESSAGE(journal.error().detail);
  REQUIRE(journal.has_value());
  const auto recovered = (*journal)->recover([](store::RecoveredTransaction) {}, {});
  if (!recovered) MESSAGE(recovered.error().detail);
  REQUIRE(recovered.has_value());
  return std::move(*journal);
}

std::unique_ptr<store::Journal> open_journal(const std::string& path) {
  store::JournalConfig config;
  config.path = path;
  return open_journal(config);
}

void commit(store::Journal& journal, const ports::Batch& batch) {
  const auto committed = journal.commit(batch);
  if (!committed) MESSAGE(committed.error().detail);
  REQUIRE(committed.has_value());
}

Result<ReadBack> read_back(store::Journal& journal) {
  ReadBack read;
  const auto take = [&read](store::RecoveredTransaction transaction) {
    read.transactions.push_back(std::move(transaction));
  };
  auto recovered = journal.recover(take, {});
  if (!recovered) return recovered.error();
  read.recovered = *recovered;
  return read;
}

ReadBack read_back(const std::string& path) {
  store::JournalConfig config;
  config.path = path;
  auto journal = store::Journal::open(config);
  if (!journal) MESSAGE(journal.error().detail);
  REQUIRE(journal.has_value());
  auto read = read_back(**journal);
  if (!read) MESSAGE(read.error().detail);
  REQUIRE(read.has_value());
  return std::move(*read);
}

std::string query(const std::string& path, const std::string& sql) {
  sqlite3* db = nullptr;
  std::string text;
  const auto add_row = [](void* out, int count, char** values, char**) noexcept {
    auto& rows = *static_cast<std::string*>(out);
    if (!rows.empty()) rows += '\n';
    for (int i = 0; i < count; ++i) {
      if (i > 0) rows += '|';
      if (values[i] != nullptr) rows += values[i];
    }
    return 0;
  };
  int code = sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr);
  if (code == SQLITE_OK) code = sqlite3_exec(db, sql.c_str(), add_row, &text, nullptr);
  if (code != SQLITE_OK) text = std::string("error: ") + sqlite3_errmsg(db);
  sqlite3_close(db);
  return text;
}

}  // namespace belay::test
