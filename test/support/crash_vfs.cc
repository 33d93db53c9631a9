#include "support/crash_vfs.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "belay/check.h"
#include "support/crash_vfs_impl.h"

namespace belay::test {
namespace {

std::uint64_t mixed(std::uint64_t digest, std::uint64_t value) {
  return (digest ^ value) * 0x100000001b3u ^ (digest >> 47);
}

void make_change(std::string& contents, const DiskChange& change) {
  const auto at = static_cast<std::size_t>(change.at);
  if (change.truncates) {
    contents.resize(at);
    return;
  }
  if (contents.size() < at + change.bytes.size()) contents.resize(at + change.bytes.size());
  std::memcpy(contents.data() + at, change.bytes.data(), change.bytes.size());
}

// Writes only some of the sectors that a change covers. What was there before is old or new
// afterwards; where the file grew there may be anything.
void make_torn(std::string& contents, const DiskChange& change, std::uint64_t sector,
               Random& random) {
  const auto old_size = contents.size();
  const auto end = change.at + change.bytes.size();
  for (auto from = change.at; from < end;) {
    const auto to = std::min<std::uint64_t>(end, (from / sector + 1) * sector);
    DiskChange part;
    part.at = from;
    part.bytes = change.bytes.substr(static_cast<std::size_t>(from - change.at),
                                     static_cast<std::size_t>(to - from));
    const auto fate = random.below(8);
    if (fate == 0 && from >= old_size) std::fill(part.bytes.begin(), part.bytes.end(), '\x5a');
    if (fate < 4) make_change(contents, part);
    from = to;
  }
}

}  // namespace

const char* name_of(Fault fault) {
  static constexpr std::array<const char*, kFaults> kNames = {
      "disk_full",  "write_error",    "sync_error", "read_only",
      "open_error", "truncate_error", "read_error"};
  return kNames[static_cast<std::size_t>(fault)];
}

void CrashVfs::Inode::forget_process() {
  shared = 0;
  reserved = waits_for_readers = exclusive = nullptr;
  shm.reset();
  shm_users = 0;
  shm_locks = {};
}

CrashVfs::CrashVfs(std::uint64_t seed, const DiskOptions& options)
    : random_(seed), options_(options), vfs_(std::make_unique<sqlite3_vfs>()) {
  static std::atomic<unsigned> instances{0};
  name_ = "crash-" + std::to_string(++instances);
  if (options_.sector_bytes == 0) options_.sector_bytes = random_.percent(50) ? 512 : 4096;
  wall_ms_ = [] { return std::uint64_t{1'700'000'000'000}; };
  Methods::install(*vfs_);
  vfs_->zName = name_.c_str();
  vfs_->pAppData = this;
  BELAY_CHECK(sqlite3_initialize() == SQLITE_OK);
  previous_default_ = sqlite3_vfs_find(nullptr);
  BELAY_CHECK(sqlite3_vfs_register(vfs_.get(), 1) == SQLITE_OK);
  sqlite3_randomness(0, nullptr);  // the next number seeds the generator from the default VFS: us
}

CrashVfs::~CrashVfs() {
  sqlite3_vfs_unregister(vfs_.get());
  sqlite3_vfs_register(previous_default_, 1);
}

void CrashVfs::cut_at(std::uint64_t nth_change) {
  cut_at_ = nth_change == 0 ? 0 : changes_ + nth_change;
}

// Moods make the extremes (all lost, all kept) as likely as any mixture.
void CrashVfs::survive_cut(Inode& inode) {
  const auto mood = random_.below(4);
  for (const auto& change : inode.pending) {
    const auto fate = mood == 0 ? 0 : mood == 1 ? 1 : random_.below(3);
    if (fate == 1 || (fate == 2 && change.truncates)) make_change(inode.durable, change);
    if (fate == 2 && !change.truncates) {
      make_torn(inode.durable, change, options_.sector_bytes, random_);
    }
  }
  inode.pending.clear();
  inode.visible = inode.durable;
}

void CrashVfs::cut() {
  if (cut_) return;
  cut_ = true;
  Directory survivors;
  auto names = visible_;
  names.insert(durable_.begin(), durable_.end());
  for (const auto& [path, unused] : names) {
    const auto seen = visible_.find(path);
    const auto safe = durable_.find(path);
    const bool differ =
        seen == visible_.end() || safe == durable_.end() || seen->second != safe->second;
    const auto& from = differ && random_.percent(50) ? visible_ : durable_;
    if (const auto found = from.find(path); found != from.end()) survivors.insert(*found);
  }
  for (auto& [path, inode] : survivors) survive_cut(*inode);
  visible_ = durable_ = std::move(survivors);
}

void CrashVfs::begin_generation() {
  ++generation_;
  for (auto& [path, inode] : visible_) inode->forget_process();
}

void CrashVfs::power_on() {
  BELAY_CHECK(cut_);
  cut_ = false;
  cut_at_ = 0;
  begin_generation();
}

void CrashVfs::kill() { begin_generation(); }

void CrashVfs::fail(Fault fault, std::uint64_t nth, std::uint64_t times) {
  faults_.push_back({fault, nth == 0 ? 0 : nth - 1, times});
}

bool CrashVfs::faulty() const { return !faults_.empty(); }

int CrashVfs::failure_of(Kind kind) {
  const auto code_of = [kind](Fault fault) {
    switch (fault) {
      case Fault::disk_full: return kind == Kind::write ? SQLITE_FULL : SQLITE_OK;
      case Fault::write_error: return kind == Kind::write ? SQLITE_IOERR_WRITE : SQLITE_OK;
      case Fault::sync_error: return kind == Kind::sync ? SQLITE_IOERR_FSYNC : SQLITE_OK;
      case Fault::read_only:
        return kind == Kind::read || kind == Kind::sync ? SQLITE_OK : SQLITE_READONLY;
      case Fault::open_error:
        return kind == Kind::open || kind == Kind::create ? SQLITE_CANTOPEN : SQLITE_OK;
      case Fault::truncate_error: return kind == Kind::truncate ? SQLITE_IOERR_TRUNCATE : SQLITE_OK;
      case Fault::read_error: return kind == Kind::read ? SQLITE_IOERR_READ : SQLITE_OK;
    }
    return SQLITE_OK;
  };
  int result = SQLITE_OK;
  for (std::size_t i = 0; i < faults_.size();) {
    auto& active = faults_[i];
    const auto code = code_of(active.fault);
    if (code != SQLITE_OK && active.skip > 0) {
      --active.skip;
    } else if (code != SQLITE_OK) {
      result = code;
      ++faults_hit_;
      if (active.times > 0 && --active.times == 0) {
        faults_.erase(faults_.begin() + static_cast<std::ptrdiff_t>(i));
        continue;
      }
    }
    ++i;
  }
  return result;
}

// True: the power goes with this very change, which then is one more that was not synced.
bool CrashVfs::change(Kind kind, std::uint64_t place, std::uint64_t size) {
  ++changes_;
  digest_ = mixed(mixed(mixed(digest_, static_cast<std::uint64_t>(kind)), place), size);
  return cut_at_ != 0 && changes_ >= cut_at_;
}

void CrashVfs::sync(Inode& inode, const std::string& path) {
  ++syncs_;
  if (options_.lying_sync) return;
  for (const auto& pending : inode.pending) make_change(inode.durable, pending);
  inode.pending.clear();
  const auto found = visible_.find(path);
  if (found != visible_.end() && found->second.get() == &inode) durable_[path] = found->second;
}

void CrashVfs::forget_unsynced(Inode& inode) {
  auto how = options_.failed_sync;
  if (how == FailedSync::seeded) how = static_cast<FailedSync>(random_.below(3));
  if (how == FailedSync::keeps) return;
  const bool all = random_.percent(50);
  std::erase_if(inode.pending, [&](const DiskChange&) { return all || random_.percent(50); });
  if (how == FailedSync::forgets) return;
  inode.visible = inode.durable;
  for (const auto& pending : inode.pending) make_change(inode.visible, pending);
}

std::string CrashVfs::contents(const std::string& path) const {
  const auto found = visible_.find(path);
  return found == visible_.end() ? std::string() : found->second->visible;
}

void CrashVfs::put(const std::string& path, std::string contents) {
  auto inode = std::make_shared<Inode>();
  inode->durable = contents;
  inode->visible = std::move(contents);
  visible_[path] = durable_[path] = std::move(inode);
}

}  // namespace belay::test
