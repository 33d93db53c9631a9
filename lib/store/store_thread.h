// ports::Store on a thread of its own: the loop never waits for a disk. Jobs run one at a time in
// the order handed in; completions are posted to the loop through the function given.
#pragma once

#include <functional>
#include <memory>

#include "ports/store.h"
#include "store/journal.h"

namespace belay::store {

class StoreThread final : public ports::Store {
 public:
  // `post` is thread-safe and runs its argument on the loop, in order. `on_doubt` runs on the loop,
  // once, when the file or what lies beside it is found missing or replaced: a second after that at
  // the latest, also without jobs. The next commit says what became of it.
  StoreThread(std::unique_ptr<Journal> journal, std::function<void(std::function<void()>)> post,
              std::function<void(const Error& error)> on_doubt = {});
  // Finishes the job under way, drops the rest, closes the journal, joins.
  ~StoreThread() override;

  // Before any job. Nothing touches the journal before the first one, so that its maker can still
  // recover from it. Errors: resources (no thread is left).
  Result<> start();
  void commit(const ports::Batch& batch, CommitDone done) override;
  void lookup(std::vector<std::string> gids, LookupDone done) override;
  void collect(const Expiry& expiry, CollectDone done) override;
  // Closes the journal and ends the thread's work; `done` as above.
  void close(std::function<void(Result<>)> done);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace belay::store
