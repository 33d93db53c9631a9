// Moves the pages of the write-ahead log into the state file, on a thread and a connection of its
// own, so that commits go on meanwhile. It never restarts the log: pages that are written during a
// pass stay for the next pass, or for the store's thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/mutex.h"
#include "sqlite/sqlite.h"
#include "store/held_file.h"
#include "threads/thread.h"

namespace belay::store {

class WalMover {
 public:
  // `file` is the file at `path`, or not open if `vfs` is not the system's; it must outlive the
  // mover. `on_pass` is called on the mover's thread at the end of each pass. Errors: storage,
  // resources (no thread is left).
  static Result<std::unique_ptr<WalMover>> open(const std::string& path, const std::string& vfs,
                                                const HeldFile& file,
                                                std::function<void()> on_pass);
  // Waits for the current pass.
  ~WalMover();
  WalMover(const WalMover&) = delete;
  WalMover& operator=(const WalMover&) = delete;

  void begin_pass();
  bool busy() const;
  // The current pass hurries: it no longer leaves commits room.
  void wait();
  // Returns once, after a pass has ended, how many frames of the log are now in the file and
  // synced.
  std::optional<Result<int>> take_result();

 private:
  WalMover(sqlite::Database database, const HeldFile& file, std::function<void()> on_pass);
  void run();
  Result<int> pass();

  sqlite::Database database_;
  const HeldFile& file_;
  std::function<void()> on_pass_;
  mutable base::Mutex mutex_;
  std::condition_variable changed_;
  bool wanted_ BELAY_GUARDED_BY(mutex_) = false;
  bool busy_ BELAY_GUARDED_BY(mutex_) = false;
  bool ending_ BELAY_GUARDED_BY(mutex_) = false;
  std::atomic<bool> hurry_ = false;  // somebody waits for the pass
  std::optional<Result<int>> result_ BELAY_GUARDED_BY(mutex_);
  threads::Thread thread_;  // last, because the thread uses all the members above
};

}  // namespace belay::store
