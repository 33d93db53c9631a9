// Runs ports::Store on a thread of its own, so that the loop never waits for a disk. Jobs run one
// at a time, in the order in which they were handed in; completions are posted to the loop.
#pragma once

#include <functional>
#include <memory>

#include "ports/store.h"
#include "store/journal.h"

namespace belay::store {

struct StoreEvents {
  // Runs on the loop, once, when the file or a file beside it is found to be missing or replaced:
  // at most a second after that happened, even if there are no jobs. The next commit shows whether
  // the file still works.
  std::function<void(const Error& error)> on_doubt{};
  // Runs on the loop when another program has written to the file: some 50 ms after that at most.
  std::function<void()> on_written{};
  // Runs on the thread, for each request that `read_posted` has read.
  std::function<void(ports::PostedRequest&)> prepare{};
};

class StoreThread final : public ports::Store {
 public:
  // `post` is thread-safe and runs its argument on the loop, in order.
  StoreThread(std::unique_ptr<Journal> journal, std::function<void(std::function<void()>)> post,
              StoreEvents events = {});
  // Finishes the current job, drops the others, closes the journal, and joins the thread.
  ~StoreThread() override;

  // To be called before any job. The thread does not use the journal before the first job, so that
  // the journal's creator can still recover from it. Errors: resources (no thread is left).
  Result<> start();
  void commit(const ports::Batch& batch, CommitDone done) override;
  void lookup(std::vector<std::string> gids, LookupDone done) override;
  void read_posted(const PostedQuery& query, PostedDone done) override;
  void collect(const Expiry& expiry, CollectDone done) override;
  // Closes the journal and ends the thread's work; `done` as above.
  void close(std::function<void(Result<>)> done);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace belay::store
