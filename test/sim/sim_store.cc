#include "sim_store.h"

#include <memory>
#include <utility>

#include "api/posted_body.h"

namespace belay::sim {
namespace {

const hook::Hooks& hooks() {
  static const auto kHooks = hook::Hooks::make({}, 1);
  return **kHooks;
}

}  // namespace

void SimStore::add(Job job) {
  if (!world_.alive()) return;
  jobs_.push_back(std::move(job));
  if (!busy_) next();
}

void SimStore::next() {
  busy_ = true;
  world_.in_life(random_.below(disk_us_ / 2 + 1), [this] {
    if (watch_.before_sql()) return;
    const auto job = std::move(jobs_.front());
    jobs_.pop_front();
    auto completion = job();
    if (watch_.after_sql()) return;
    world_.in_life(random_.below(disk_us_ / 2 + 1), [this, completion = std::move(completion)] {
      busy_ = false;
      completion();
      if (!busy_ && !jobs_.empty() && world_.alive()) next();
    });
  });
}

Result<ports::StoreFigures> SimStore::write(const ports::Batch& batch) {
  if (planted_ == Planted::lying_store) return ports::StoreFigures{};
  auto result = journal_.commit(batch);
  if (result) static_cast<void>(journal_.checkpoint_wal().has_value());
  return result;
}

void SimStore::commit(const ports::Batch& batch, CommitDone done) {
  add([this, &batch, done = std::move(done)] {
    auto result = write(batch);
    world_.note("commit {} ({} bytes, {} rows, fold below {}): {}", batch.lsn, batch.records.size(),
                batch.rows.size(), batch.fold_below,
                result ? std::string("done") : result.error().detail);
    ++(result ? commits_ : refusals_);
    return [this, result = std::move(result), done = std::move(done)] {
      refuses_ = !result;
      done(result);
    };
  });
}

void SimStore::lookup(std::vector<std::string> gids, LookupDone done) {
  add([this, gids = std::move(gids), done = std::move(done)] {
    auto result = journal_.lookup(gids);
    world_.note("lookup of {}: {}", gids.size(), result ? "done" : result.error().detail);
    return
        [result = std::move(result), done = std::move(done)]() mutable { done(std::move(result)); };
  });
}

void SimStore::read_posted(const PostedQuery& query, PostedDone done) {
  add([this, query, done = std::move(done)] {
    auto result = journal_.read_posted(query);
    if (result)
      for (auto& request : result->requests) api::read_body(request, limits_, hooks());
    if (!result || !result->requests.empty()) {
      world_.note("read what is posted: {}",
                  result ? std::to_string(result->requests.size()) : result.error().detail);
    }
    return
        [result = std::move(result), done = std::move(done)]() mutable { done(std::move(result)); };
  });
}

void SimStore::collect(const Expiry& expiry, CollectDone done) {
  add([this, expiry, done = std::move(done)] {
    auto result = journal_.collect(expiry);
    world_.note("collect: {}", result ? "done" : result.error().detail);
    return [result = std::move(result), done = std::move(done)] { done(result); };
  });
}

}  // namespace belay::sim
