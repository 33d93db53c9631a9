// Transactions as an engine would write them, without one: every step becomes records, the records
// a batch, and the test says what the batch carries beside them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "belay/description.h"
#include "belay/saga.h"
#include "core/codec.h"
#include "core/decide.h"
#include "core/definition.h"
#include "core/topics.h"
#include "core/transaction.h"
#include "ports/store.h"
#include "store/journal.h"

namespace belay::test {

// Two steps: bank.debit and stock.reserve.
Saga two_steps(std::string_view gid);

class Story {
 public:
  // ms since the epoch of the first submit.
  static constexpr std::uint64_t kBegin = 1'700'000'000'000;

  void wait(std::uint64_t ms) { now_ += ms; }
  std::uint64_t now() const { return now_; }
  core::TransactionId submit(Description description, core::Entry entry = core::Entry::submit);
  core::TransactionId submit(std::string_view gid) { return submit(two_steps(gid)); }
  void start(core::TransactionId id, std::uint32_t branch, Op op = Op::action);
  void answer(core::TransactionId id, std::uint32_t branch, OutcomeKind outcome,
              std::string_view reason = {}, std::uint64_t due_at = 0, Op op = Op::action);
  void park(core::TransactionId id, std::uint32_t branch, std::string_view why);
  void abort(core::TransactionId id, std::string_view why);
  void finish(core::TransactionId id, Status status);
  // What the core makes of an event.
  void decide(core::TransactionId id, const core::Event& event);
  void decide_answer(core::TransactionId id, std::uint32_t branch, Op op, const Outcome& outcome) {
    decide(id, core::Answered{branch, op, &outcome});
  }
  core::Topics& topics() { return topics_; }
  // All of it, to the end.
  void succeed(core::TransactionId id);
  void fail(core::TransactionId id, std::string_view why);

  // What was written since the last batch becomes the next one.
  ports::Batch batch();
  // Only rows and folding.
  static ports::Batch without_records() { return {}; }
  // As of now; a finished one's is lent, an unfinished one's a copy.
  void add_row(ports::Batch& batch, core::TransactionId id) const;
  static void add_erase(ports::Batch& batch, core::TransactionId id);

  core::Lsn lsn() const { return lsn_; }
  const core::Transaction& at(core::TransactionId id) const { return transactions_.at(id); }
  const std::map<core::TransactionId, core::Transaction>& all() const { return transactions_; }
  // Goes on after what a journal read back.
  void resume(core::Lsn lsn, core::TransactionId id) { lsn_ = lsn, last_id_ = id; }

 private:
  void write(core::Record record);

  std::map<core::TransactionId, core::Transaction> transactions_;
  std::map<core::TransactionId, core::Lsn> newest_;
  core::BatchWriter writer_;
  core::Topics topics_;
  core::Lsn lsn_ = 0;
  core::TransactionId last_id_ = 0;
  std::uint64_t now_ = kBegin;
};

// An open journal, recovered; the test stops if that fails.
std::unique_ptr<store::Journal> open_journal(const store::JournalConfig& config);
std::unique_ptr<store::Journal> open_journal(const std::string& path);
// Commits; the test stops if that fails.
void commit(store::Journal& journal, const ports::Batch& batch);

// What a journal hands out at recovery.
struct ReadBack {
  store::Recovered recovered;
  std::vector<store::RecoveredTransaction> transactions;
};
Result<ReadBack> read_back(store::Journal& journal);
// Opens, reads back and closes.
ReadBack read_back(const std::string& path);

// What plain SQL says, columns joined by '|', rows by a newline, NULL as nothing. "error: …" if it
// fails.
std::string query(const std::string& path, const std::string& sql);

}  // namespace belay::test
