#include "store/wal_mover.h"

#include <utility>

#include "base/mutex.h"

namespace belay::store {

Result<std::unique_ptr<WalMover>> WalMover::open(const std::string& path, const std::string& vfs,
                                                 const HeldFile& file,
                                                 std::function<void()> on_pass) {
  auto database = sqlite::Database::open(path, SQLITE_OPEN_READWRITE, vfs);
  if (!database) return database.error();
  database->checkpoint_on_close(false);
  BELAY_TRY(database->run("PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"));
  // A connection knows that the file has a write-ahead log only after its first read.
  if (auto read = database->integer("SELECT count(*) FROM meta"); !read) return read.error();
  std::unique_ptr<WalMover> mover(new WalMover(std::move(*database), file, std::move(on_pass)));
  auto thread = threads::Thread::start("belay-wal", [own = mover.get()] { own->run(); });
  if (!thread) return thread.error();
  mover->thread_ = std::move(*thread);
  return mover;
}

WalMover::WalMover(sqlite::Database database, const HeldFile& file, std::function<void()> on_pass)
    : database_(std::move(database)), file_(file), on_pass_(std::move(on_pass)) {}

WalMover::~WalMover() {
  {
    const base::Lock lock(mutex_);
    ending_ = true;
    hurry_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void WalMover::begin_pass() {
  {
    const base::Lock lock(mutex_);
    wanted_ = busy_ = true;
    hurry_ = false;
  }
  changed_.notify_all();
}

bool WalMover::busy() const {
  const base::Lock lock(mutex_);
  return busy_;
}

void WalMover::wait() {
  base::Lock lock(mutex_);
  hurry_ = true;
  lock.wait(changed_, [this]() BELAY_REQUIRES(mutex_) { return !busy_; });
}

std::optional<Result<int>> WalMover::take_result() {
  const base::Lock lock(mutex_);
  return std::exchange(result_, std::nullopt);
}

void WalMover::run() {
  while (true) {
    {
      base::Lock lock(mutex_);
      lock.wait(changed_, [this]() BELAY_REQUIRES(mutex_) { return wanted_ || ending_; });
      if (!wanted_) return;
      wanted_ = false;
    }
    auto result = pass();
    {
      const base::Lock lock(mutex_);
      result_ = std::move(result);
      busy_ = false;
    }
    changed_.notify_all();
    on_pass_();
  }
}

Result<int> WalMover::pass() {
  const auto moved = database_.move_wal();
  if (!moved) return moved.error();
  // As long as commits go on, SQLite leaves this sync to the pass that moves the last page. On this
  // thread no commit waits for the sync.
  if (file_) BELAY_TRY(file_.write_out(hurry_));
  auto* file = database_.main_file();
  if (file == nullptr) return moved->frames;
  const int synced = file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
  if (synced != SQLITE_OK) return sqlite::sqlite_error(nullptr, synced, "syncing the state file");
  return moved->frames;
}

}  // namespace belay::store
