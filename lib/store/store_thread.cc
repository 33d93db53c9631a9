#include "store/store_thread.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <thread>
#include <utility>

#include "base/mutex.h"
#include "threads/linger.h"
#include "threads/thread.h"

namespace belay::store {
namespace {

using Clock = std::chrono::steady_clock;

// How often the thread yields before it sleeps: some 25 microseconds in all. A yield that takes
// longer than this went to another busy thread.
constexpr int kYields = 40;
constexpr std::uint64_t kYieldMicrosMax = 200;
// How often the thread asks whether other programs have written, and whether the files are still in
// place if nothing is written.
constexpr std::chrono::milliseconds kAskInterval{40};
constexpr std::chrono::milliseconds kLookInterval{500};

}  // namespace

class StoreThread::Impl {
 public:
  Impl(std::unique_ptr<Journal> journal, std::function<void(std::function<void()>)> post,
       StoreEvents events)
      : journal_(std::move(journal)), post_(std::move(post)), events_(std::move(events)) {}

  ~Impl() {
    {
      const base::Lock lock(mutex_);
      ending_ = true;
    }
    wake_.notify_one();
    thread_.join();
    static_cast<void>(journal_->close().has_value());
  }

  Result<> start() {
    auto thread = threads::Thread::start("belay-store", [this] { run(); });
    if (!thread) return thread.error();
    thread_ = std::move(*thread);
    return {};
  }

  // `looks` is true for a job that looks for missing files itself.
  void add(std::function<void()> work, bool looks = false) {
    {
      const base::Lock lock(mutex_);
      jobs_.push_back({std::move(work), looks});
      has_job_.store(true, std::memory_order_release);
    }
    wake_.notify_one();
  }

  Journal& journal() { return *journal_; }
  void post(std::function<void()> completion) { post_(std::move(completion)); }
  void prepare(std::vector<ports::PostedRequest>& requests) const {
    if (!events_.prepare) return;
    for (auto& request : requests) events_.prepare(request);
  }

 private:
  enum class Next : std::uint8_t { job, upkeep, end };
  struct Job {
    std::function<void()> work;
    bool looks = false;
  };

  // The commits of one transaction follow each other sooner than the system wakes a thread. So the
  // thread does not sleep at once; it yields the processor to whoever makes its next job. Where
  // other threads are busy a yield can take a whole time slice: then the thread sleeps at once for
  // a while.
  void linger() {
    if (!linger_.may_begin()) return;
    auto before = journal_->now_us();
    for (int i = 0; i < kYields && !has_job_.load(std::memory_order_acquire); ++i) {
      std::this_thread::yield();
      const auto now = journal_->now_us();
      if (now - before > kYieldMicrosMax) return linger_.end(true);
      before = now;
    }
    linger_.end(false);
  }

  // Until the first job comes, another thread may use the journal to recover.
  Next wait(Job& job, bool first) {
    base::Lock lock(mutex_);
    const auto has_work = [this]() BELAY_REQUIRES(mutex_) {
      return ending_ || !jobs_.empty() || upkeep_;
    };
    first ? lock.wait(wake_, has_work)
          : static_cast<void>(lock.wait_for(wake_, kAskInterval, has_work));
    if (ending_) return Next::end;
    if (jobs_.empty()) {
      upkeep_ = false;
      return Next::upkeep;
    }
    job = std::move(jobs_.front());
    jobs_.pop_front();
    has_job_.store(!jobs_.empty(), std::memory_order_relaxed);
    return Next::job;
  }

  void run() {
    Job job;
    for (bool first = true;; first = false) {
      const auto next = wait(job, first);
      if (next == Next::end) break;
      // Without the mover all pages are moved between commits: this is slower, but as safe.
      if (first)
        static_cast<void>(
            journal_->move_wal_in_background([this] { on_wal_progress(); }).has_value());
      if (next == Next::job) std::exchange(job.work, nullptr)();
      // A failure here is reported by the next commit, which repairs the file first.
      static_cast<void>(journal_->checkpoint_wal().has_value());
      look(next == Next::job && job.looks);
      linger();
    }
  }

  // Reported once: the journal does not look again until the next commit has repaired what can be
  // repaired.
  void look(bool has_looked) {
    const auto now = Clock::now();
    if (!has_looked && now >= look_at_) tell(journal_->look());
    if (has_looked || now >= look_at_) look_at_ = now + kLookInterval;
    if (now < ask_at_) return;
    ask_at_ = now + kAskInterval / 2;
    const auto written = journal_->was_written();
    if (!written) return tell(written.error());
    if (*written && events_.on_written) post(events_.on_written);
  }

  void tell(const Result<>& seen) {
    if (seen || !events_.on_doubt) return;
    post([tell = events_.on_doubt, error = seen.error()] { tell(error); });
  }

  void on_wal_progress() {
    {
      const base::Lock lock(mutex_);
      upkeep_ = true;
    }
    wake_.notify_one();
  }

  std::unique_ptr<Journal> journal_;
  std::function<void(std::function<void()>)> post_;
  const StoreEvents events_;
  Clock::time_point look_at_{};  // these two are only for the thread
  Clock::time_point ask_at_{};
  base::Mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_ BELAY_GUARDED_BY(mutex_);
  std::atomic<bool> has_job_ = false;
  threads::Linger linger_;  // only for the thread
  bool upkeep_ BELAY_GUARDED_BY(mutex_) = false;
  bool ending_ BELAY_GUARDED_BY(mutex_) = false;
  threads::Thread thread_;  // last, because the thread uses all the members above
};

StoreThread::StoreThread(std::unique_ptr<Journal> journal,
                         std::function<void(std::function<void()>)> post, StoreEvents events)
    : impl_(std::make_unique<Impl>(std::move(journal), std::move(post), std::move(events))) {}

StoreThread::~StoreThread() = default;

Result<> StoreThread::start() { return impl_->start(); }

void StoreThread::commit(const ports::Batch& batch, CommitDone done) {
  impl_->add(
      [impl = impl_.get(), &batch, done = std::move(done)]() mutable {
        auto result = impl->journal().commit(batch);
        impl->post([result = std::move(result), done = std::move(done)] { done(result); });
      },
      true);
}

void StoreThread::lookup(std::vector<std::string> gids, LookupDone done) {
  impl_->add([impl = impl_.get(), gids = std::move(gids), done = std::move(done)]() mutable {
    auto result = impl->journal().lookup(gids);
    impl->post([result = std::move(result), done = std::move(done)]() mutable {
      done(std::move(result));
    });
  });
}

void StoreThread::read_posted(const PostedQuery& query, PostedDone done) {
  impl_->add([impl = impl_.get(), query, done = std::move(done)]() mutable {
    auto result = impl->journal().read_posted(query);
    if (result) impl->prepare(result->requests);
    impl->post([result = std::move(result), done = std::move(done)]() mutable {
      done(std::move(result));
    });
  });
}

void StoreThread::collect(const Expiry& expiry, CollectDone done) {
  impl_->add([impl = impl_.get(), expiry, done = std::move(done)]() mutable {
    auto result = impl->journal().collect(expiry);
    impl->post([result = std::move(result), done = std::move(done)]() mutable {
      done(std::move(result));
    });
  });
}

void StoreThread::close(std::function<void(Result<>)> done) {
  impl_->add([impl = impl_.get(), done = std::move(done)]() mutable {
    auto result = impl->journal().close();
    impl->post([result = std::move(result), done = std::move(done)]() mutable {
      done(std::move(result));
    });
  });
}

}  // namespace belay::store
