#include "engine/storage_checks.h"

#include <fmt/format.h>

#include <utility>

#include "engine/limits.h"

namespace belay::engine {

std::uint64_t next_expiry(const std::vector<StorageCheck>& sealed,
                          const std::vector<StorageCheck>& open) {
  const auto& first = sealed.empty() ? open : sealed;
  return first.empty() ? 0 : first.front().until;
}

Result<> StorageChecks::ask(base::Callback<std::monostate> done) {
  const base::Lock lock(mutex_);
  if (!open_) return Error{ErrorCode::closed, "the engine is not running"};
  if (waiting_ >= kChecksMax) {
    return Error{ErrorCode::busy,
                 fmt::format("{} wait for the disk, the limit is {}", waiting_, kChecksMax)};
  }
  ++waiting_;
  asked_.push_back(std::move(done));
  if (asked_.size() == 1) alarm_.wake();
  return {};
}

void StorageChecks::open() {
  const base::Lock lock(mutex_);
  open_ = true;
}

void StorageChecks::close() {
  const base::Lock lock(mutex_);
  open_ = false;
}

std::vector<StorageCheck> StorageChecks::take(std::uint64_t now) {
  std::vector<base::Callback<std::monostate>> asked;
  {
    const base::Lock lock(mutex_);
    asked.swap(asked_);
  }
  std::vector<StorageCheck> checks;
  checks.reserve(asked.size());
  for (auto& done : asked) checks.push_back({std::move(done), now + kCheckPatience});
  return checks;
}

// The count goes down before the answers: a caller may ask again as soon as it has its answer.
void StorageChecks::answer(const std::vector<StorageCheck>& checks, const Result<>& result) {
  if (checks.empty()) return;
  {
    const base::Lock lock(mutex_);
    waiting_ -= checks.size();
  }
  for (const auto& check : checks) check.done(result);
}

}  // namespace belay::engine
