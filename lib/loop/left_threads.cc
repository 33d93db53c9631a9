#include "loop/left_threads.h"

#include <thread>
#include <utility>
#include <vector>

#include "base/forks.h"
#include "base/mutex.h"

namespace belay::loop {
namespace {

class LeftThreads {
 public:
  LeftThreads() = default;
  LeftThreads(const LeftThreads&) = delete;
  LeftThreads& operator=(const LeftThreads&) = delete;
  // Runs at the exit of the process: the threads use objects that are destroyed next.
  ~LeftThreads() {
    if (home_.left()) base::keep(std::make_shared<Threads>(std::move(threads_)));
    for (auto& one : threads_) {
      if (one.id == std::this_thread::get_id()) {  // this is the thread that exits
        base::keep(std::make_shared<threads::Thread>(std::move(one.thread)));
      } else {
        one.thread.join();
      }
    }
  }

  void add(threads::Thread thread, std::thread::id id,
           std::shared_ptr<const std::atomic<bool>> ended) {
    const base::Lock lock(mutex_);
    std::erase_if(threads_, [](Left& left) {
      if (!*left.ended) return false;
      left.thread.join();
      return true;
    });
    threads_.push_back({std::move(thread), id, std::move(ended)});
  }

 private:
  struct Left {
    threads::Thread thread;
    std::thread::id id;
    std::shared_ptr<const std::atomic<bool>> ended;
  };
  using Threads = std::vector<Left>;

  const base::Home home_;
  base::Mutex mutex_;
  Threads threads_ BELAY_GUARDED_BY(mutex_);
};

}  // namespace

void leave(threads::Thread thread, std::thread::id id,
           std::shared_ptr<const std::atomic<bool>> ended) {
  static LeftThreads left;
  left.add(std::move(thread), id, std::move(ended));
}

}  // namespace belay::loop
