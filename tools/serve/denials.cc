#include "serve/denials.h"

#include <utility>

namespace belay::tool {

int status_of(Denial denial) {
  return denial == Denial::no_token || denial == Denial::unknown_token ? 401 : 403;
}

const char* name_of(Denial denial) {
  switch (denial) {
    case Denial::no_token: return "no_token";
    case Denial::unknown_token: return "unknown_token";
    case Denial::small_role: return "small_role";
    case Denial::other_host: return "other_host";
    case Denial::web_page: break;
  }
  return "web_page";
}

std::optional<std::uint64_t> Denials::add(Denial denial, Clock::time_point at) {
  counts_[static_cast<std::size_t>(denial)].fetch_add(1, std::memory_order_relaxed);
  const base::Lock lock(mutex_);
  if (last_line_ && at - *last_line_ < kLineEvery) {
    ++left_out_;
    return std::nullopt;
  }
  last_line_ = at;
  return std::exchange(left_out_, 0);
}

std::vector<protocol::DeniedFigure> Denials::figures() const {
  std::vector<protocol::DeniedFigure> figures;
  for (std::size_t i = 0; i < kDenials; ++i) {
    const auto denial = static_cast<Denial>(i);
    figures.push_back({status_of(denial), name_of(denial), counts_[i]});
  }
  return figures;
}

}  // namespace belay::tool
