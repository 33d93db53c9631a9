// The engine's store in the simulator: the real journal on the disk that fails on command. A job is
// done some time after it was handed in, and its completion is told some time after that, so that a
// crash can fall in between.
#pragma once

#include <deque>
#include <functional>

#include "ledger.h"
#include "plan.h"
#include "ports/store.h"
#include "store/journal.h"

namespace belay::sim {

class SimStore final : public ports::Store {
 public:
  // Each is asked at its moment; true: the process is dead from here on.
  struct Watch {
    std::function<bool()> before_sql;
    std::function<bool()> after_sql;
  };

  SimStore(World& world, store::Journal& journal, const Plan& plan, Planted planted,
           test::Random random, Watch watch)
      : world_(world),
        journal_(journal),
        disk_us_(plan.disk_us),
        limits_(plan.options.limits),
        planted_(planted),
        random_(random),
        watch_(std::move(watch)) {}

  void commit(const ports::Batch& batch, CommitDone done) override;
  void lookup(std::vector<std::string> gids, LookupDone done) override;
  void read_posted(const PostedQuery& query, PostedDone done) override;
  void collect(const Expiry& expiry, CollectDone done) override;

  void calm() { disk_us_ = disk_us_ < 1'000 ? disk_us_ : 1'000; }
  // The engine was told that its last batch is not on disk.
  bool refuses() const { return refuses_; }
  bool idle() const { return jobs_.empty() && !busy_; }
  std::uint64_t commits() const { return commits_; }
  std::uint64_t refusals() const { return refusals_; }

 private:
  using Job = std::function<std::function<void()>()>;  // does it, returns its completion

  void add(Job job);
  void next();
  Result<ports::StoreFigures> write(const ports::Batch& batch);

  World& world_;
  store::Journal& journal_;
  std::uint64_t disk_us_;
  const Limits limits_;
  Planted planted_;
  test::Random random_;
  Watch watch_;
  std::deque<Job> jobs_;
  bool busy_ = false;
  bool refuses_ = false;
  std::uint64_t commits_ = 0;
  std::uint64_t refusals_ = 0;
};

}  // namespace belay::sim
