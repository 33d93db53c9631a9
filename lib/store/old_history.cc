#include "belay/old_history.h"

#include <new>
#include <string>
#include <utility>

#include "base/end_at_home.h"
#include "base/forks.h"
#include "base/quiet_signals.h"
#include "store/journal_impl.h"
#include "store/quiet_file.h"

namespace belay {
namespace {

constexpr std::string_view kCountFinished =
    "SELECT count(*) FROM main.transaction_rows WHERE status = ?1 AND updated_at < ?2";

std::uint64_t millis_of(const std::optional<TimePoint>& at) {
  if (!at || at->time_since_epoch().count() <= 0) return 0;
  return static_cast<std::uint64_t>(at->time_since_epoch().count());
}

Result<std::uint64_t> count_finished(sqlite::Database& database, Status status,
                                     const std::optional<TimePoint>& before) {
  if (!before) return std::uint64_t{0};
  auto count = sqlite::Statement::prepare(database.handle(), kCountFinished);
  if (!count) return count.error();
  count->bind(1, static_cast<std::int64_t>(status));
  count->bind(2, millis_of(before));
  auto row = count->step();
  if (!row) return row.error();
  return count->number(0);
}

}  // namespace

class OldHistory::Impl {
 public:
  explicit Impl(store::QuietFile file) : file_(std::move(file)) {}

  // Runs `work` if this object may be used in this process.
  template <class Work>
  static auto enter(const std::unique_ptr<Impl>& impl, Work work) -> decltype(work(*impl)) {
    if (!impl || impl->home_.left()) {
      return Error{ErrorCode::misuse,
                   "this object was moved from, closed, or belongs to another process"};
    }
    const base::QuietSignals quiet;
    try {
      return work(*impl);
    } catch (const std::bad_alloc&) {
      return Error{ErrorCode::resources, "no memory left"};
    }
  }
  bool left_home() const { return home_.left(); }

  Result<HistoryCount> count(const FinishedBefore& before) {
    HistoryCount counted;
    BELAY_TRY(file_.journal().write_whole([&](store::Writers& writers) -> Result<> {
      auto succeeded = count_finished(writers.database, Status::succeed, before.succeeded);
      if (!succeeded) return succeeded.error();
      auto failed = count_finished(writers.database, Status::failed, before.failed);
      if (!failed) return failed.error();
      counted = {*succeeded, *failed};
      return {};
    }));
    return counted;
  }

  Result<bool> remove_some(const FinishedBefore& before) {
    auto more = file_.journal().collect({.succeed_before = millis_of(before.succeeded),
                                         .failed_before = millis_of(before.failed),
                                         .is_thorough = true});
    if (!more) return more;
    BELAY_TRY(file_.journal().checkpoint_wal());
    return more;
  }

  Result<> close() { return file_.close(); }

 private:
  const base::Home home_;
  store::QuietFile file_;
};

Result<OldHistory> OldHistory::open(std::string_view path) {
  if (!base::watch_forks()) return Error{ErrorCode::resources, "no memory to watch for forks"};
  const base::QuietSignals quiet;
  try {
    auto file = store::QuietFile::open(std::string(path), true);
    if (!file) return file.error();
    return OldHistory(std::make_unique<Impl>(std::move(*file)));
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::resources, "no memory left"};
  }
}

OldHistory::OldHistory(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
OldHistory::OldHistory(OldHistory&&) noexcept = default;

OldHistory& OldHistory::operator=(OldHistory&& other) noexcept {
  const OldHistory old(std::move(*this));
  impl_ = std::move(other.impl_);
  return *this;
}

OldHistory::~OldHistory() { base::end_at_home(impl_); }

Result<HistoryCount> OldHistory::count(const FinishedBefore& before) {
  return Impl::enter(impl_, [&](Impl& impl) { return impl.count(before); });
}
Result<bool> OldHistory::remove_some(const FinishedBefore& before) {
  return Impl::enter(impl_, [&](Impl& impl) { return impl.remove_some(before); });
}
Result<> OldHistory::close() {
  auto closed = Impl::enter(impl_, [](Impl& impl) { return impl.close(); });
  if (!impl_ || !impl_->left_home()) impl_.reset();
  return closed;
}

}  // namespace belay
