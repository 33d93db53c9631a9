#include "feeder.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "belay/check.h"
#include "core/apply.h"
#include "support/encode.h"

namespace belay::test {

std::string describe(const core::Transaction& transaction) {
  if (transaction.finished()) return "ended: " + std::string(name_of(transaction.status));
  return core::encode_snapshot(transaction);
}

const ports::Batch& Feeder::batch() {
  if (batch_) return *batch_;
  now_ += random_.between(1, 2'000);
  batch_.emplace();
  for (auto count = random_.between(1, 4); count > 0; --count) {
    std::vector<Entry*> unfinished;
    for (auto& [id, entry] : entries_) {
      if (!entry.transaction.finished()) unfinished.push_back(&entry);
    }
    if (unfinished.empty() || random_.percent(35)) {
      submit();
    } else {
      advance(*random_.one_of(unfinished));
    }
  }
  if (!writer_.empty()) {
    batch_->lsn = ++last_lsn_;
    batch_->records = writer_.take();
  }
  add_rows();
  next_ = contents();
  return *batch_;
}

void Feeder::submit() {
  Saga saga("g-" + std::to_string(last_id_ + 1));
  for (auto steps = random_.between(1, 3); steps > 0; --steps) {
    saga.step("do", "undo", std::string(random_.below(random_.percent(10) ? 20'000 : 200), 'p'));
  }
  if (random_.percent(30)) saga.concurrent();
  auto bytes = encode(saga, saga.gid(), options_.limits);
  BELAY_CHECK(bytes.has_value());
  const core::Record record{
      .kind = core::RecordKind::submitted, .id = ++last_id_, .at = now_, .text = *bytes};
  writer_.add(record);
  auto begun = core::begin(record);
  BELAY_CHECK(begun.has_value());
  auto& entry = entries_[last_id_];
  entry.transaction = std::move(*begun);
  entry.first_lsn = entry.last_lsn = last_lsn_ + 1;
  decide(entry, core::Begun{});
}

void Feeder::advance(Entry& entry) {
  auto& transaction = entry.transaction;
  for (std::uint32_t i = 0; i < transaction.branches.size(); ++i) {
    if (!transaction.branches[i].in_flight) continue;
    const std::vector<Outcome> outcomes = {Outcome::success(), Outcome::success(),
                                           Outcome::failure("no"), Outcome::ongoing("later"),
                                           Outcome::unknown("nothing heard")};
    // It may have turned back while the action was under way.
    const auto op =
        transaction.branches[i].second == core::OpState::idle ? Op::action : Op::compensate;
    return decide(entry, core::Answered{i, op, &random_.one_of(outcomes)});
  }
  now_ = std::max(now_, core::next_due(transaction));
  decide(entry, core::Due{});
}

void Feeder::decide(Entry& entry, const core::Event& event) {
  core::decide(entry.transaction, event, {now_, random_.next(), &options_}, step_);
  for (const auto& record : step_.records) writer_.add(record);
  if (step_.records.empty()) return;
  entry.last_lsn = last_lsn_ + 1;
  if (entry.first_lsn == 0) entry.first_lsn = entry.last_lsn;
}

// As the engine: rows of finished ones, now and then a snapshot, and what they cover of the log
// goes.
void Feeder::add_rows() {
  const bool erases = random_.percent(10);
  for (auto& [id, entry] : entries_) {
    const bool finished = entry.transaction.finished();
    if (entry.written || entry.first_lsn == 0 || !random_.percent(finished ? 40 : 10)) continue;
    ports::RowChange row;
    row.id = id;
    row.lsn = entry.last_lsn;
    row.erase = finished && erases;
    if (row.erase) optional_[std::string(entry.transaction.gid())] = true;
    row.copy = std::make_unique<core::Transaction>(core::clone(entry.transaction));
    row.transaction = row.copy.get();
    row.due_at = core::next_due(entry.transaction);
    entry.first_lsn = 0;
    entry.written = finished;
    batch_->rows.push_back(std::move(row));
  }
  auto oldest = last_lsn_;
  for (const auto& [id, entry] : entries_) {
    if (entry.first_lsn != 0) oldest = std::min(oldest, entry.first_lsn);
  }
  batch_->fold_below = oldest;
}

Contents Feeder::contents() const {
  Contents contents;
  for (const auto& [id, entry] : entries_)
    contents[std::string(entry.transaction.gid())] = describe(entry.transaction);
  return contents;
}

void Feeder::acknowledged() {
  acked_ = next_;
  batch_.reset();
}

ports::Store::Retention Feeder::expire() {
  for (const auto& [id, entry] : entries_) {
    if (entry.transaction.status == Status::succeed)
      optional_[std::string(entry.transaction.gid())] = true;
  }
  return {now_ + 1, 0};
}

std::optional<Contents> read_all(store::Journal& journal, const Contents& expected) {
  Contents contents;
  const auto recovered = journal.recover(
      [&](store::RecoveredTransaction one) {
        contents[std::string(one.transaction.gid())] = describe(one.transaction);
      },
      [](std::uint64_t) {});
  if (!recovered) return std::nullopt;
  std::vector<std::string> gids;
  for (const auto& [gid, state] : expected) gids.push_back(gid);
  const auto rows = journal.lookup(gids);
  if (!rows) return std::nullopt;
  for (const auto& row : *rows) {
    if (row) contents.try_emplace(row->gid, "ended: " + std::string(name_of(row->status)));
  }
  return contents;
}

}  // namespace belay::test
