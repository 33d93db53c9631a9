// The batch that collects, the batch that is with the store, and how far the log is on disk.
#pragma once

#include <cstdint>
#include <utility>

#include "engine/live.h"
#include "engine/open_batch.h"
#include "ports/store.h"

namespace belay::engine {

class Batches {
 public:
  OpenBatch open;      // collects records
  OpenBatch sealed;    // the store has it as `batch`; empty if the store has nothing
  ports::Batch batch;  // must not change while the store has it

  void start(core::Lsn last) { last_ = durable_ = last; }
  core::Lsn last() const { return last_; }        // the newest lsn that was handed to the store
  core::Lsn durable() const { return durable_; }  // the newest lsn that is on disk
  core::Lsn next() const { return last_ + 1; }    // the lsn of the open batch
  bool is_durable(const Live& live) const { return live.last_lsn <= durable_; }
  // The newest lsn that the next commit makes durable.
  core::Lsn newest() const { return open.writer.empty() ? last_ : next(); }

  // An effect waits until the batch with its transaction's last record is on disk.
  void hold(const Act& act) { (act.live->last_lsn == next() ? open : sealed).acts.add(act); }

  // Answers what depends on changes of topics and holds: these are in memory already, but may not
  // be on disk yet.
  void answer_after_changes(base::Callback<std::monostate> done) {
    const bool in_open = !open.topics.empty() || !open.holds.empty();
    auto& waiting = in_open ? open.answers : sealed.answers;
    if (waiting.empty()) return done({});
    waiting.push_back(std::move(done));
  }

  // The open batch becomes the sealed one; its records and rows move to `batch`.
  void seal() {
    std::swap(open, sealed);  // the sealed batch was carried out before: it is empty
    batch.realms = std::exchange(sealed.realms, {});
    batch.topics = std::exchange(sealed.topics, {});
    batch.holds = std::exchange(sealed.holds, {});
    batch.answers = std::exchange(sealed.posted, {});
    sealed_records_ = sealed.writer.count();
    batch.lsn = 0;
    if (sealed.writer.empty()) return;
    batch.lsn = ++last_;
    batch.records = sealed.writer.take();
  }
  std::uint32_t sealed_records() const { return sealed_records_; }
  // The batch is on disk.
  void committed() {
    if (batch.lsn != 0) durable_ = batch.lsn;
  }

 private:
  std::uint32_t sealed_records_ = 0;
  core::Lsn last_ = 0;
  core::Lsn durable_ = 0;
};

}  // namespace belay::engine
