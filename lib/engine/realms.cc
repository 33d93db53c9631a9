#include "engine/realms.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/limits.h"

namespace belay::engine {

Result<> Realms::note(const XaRealm& realm) {
  const base::Lock lock(mutex_);
  if (std::find(noted_.begin(), noted_.end(), realm) != noted_.end()) return {};
  if (noted_.size() >= kRealmsMax) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("{} realms are in use, the limit is {}", noted_.size(), kRealmsMax)};
  }
  noted_.push_back(realm);
  return {};
}

void Realms::take(std::vector<XaRealm>& batch) {
  const base::Lock lock(mutex_);
  for (; taken_ < noted_.size(); ++taken_) batch.push_back(noted_[taken_]);
}

}  // namespace belay::engine
