// How a request finds its transaction: in memory, on disk (the history), or not at all.
#include "engine/requests.h"

#include <type_traits>
#include <utility>

#include "base/mark.h"
#include "engine/coordinator.h"
#include "engine/limits.h"

namespace belay::engine {

Error is_over(const ports::StoredSummary& stored) {
  return {ErrorCode::forbidden,
          fmt::format("the {} is {} already", name_of(stored.mode), name_of(stored.status))};
}

// The error if the engine answers no requests any more.
std::optional<Error> Coordinator::end_of_service() const {
  if (given_up_) return given_up_;
  if (phase_ != Phase::running) return Error{ErrorCode::closed, "the engine is closing"};
  return std::nullopt;
}

// The error if the engine accepts no new requests at the moment.
std::optional<Error> Coordinator::refusal() const {
  if (auto error = end_of_service()) return error;
  if (disk_.refuses())
    return Error{ErrorCode::storage, "the state file refuses writes at the moment"};
  if (disk_.hangs()) return DiskHealth::silence();
  return std::nullopt;
}

template <NamesGid R>
void Coordinator::take(R& request) {
  if (const auto error = R::kOnlyLooks ? end_of_service() : refusal())
    return refuse(request.done, *error);
  if (auto* live = live_.find(request.key())) {
    meet(*live, request);
    return note_taken(request);
  }
  if constexpr (requires { request.gid_is_new; }) {
    if (request.gid_is_new) {
      begin(request);
      return note_taken(request);
    }
  }
  if (disk_.hangs()) return refuse(request.done, DiskHealth::silence());
  lookups_.add(std::move(request));
}

template void Coordinator::take(SubmitRequest& request);
template void Coordinator::take(FindRequest& request);
template void Coordinator::take(BranchRequest& request);
template void Coordinator::take(WordRequest& request);
template void Coordinator::take(ProgressRequest& request);
template void Coordinator::take(EndRequest& request);

void Coordinator::send_lookups() {
  if (disk_.is_looking_up() || !lookups_.has_to_send()) return;
  auto gids = lookups_.take_to_send(kLookupGids);
  disk_.begin_lookup(time_.monotonic());
  auto asked = gids;
  ports_.store.lookup(std::move(gids), [this, asked = std::move(asked)](auto result) {
    time_.tick(ports_.clock);
    disk_.end_lookup();
    if (!result) give_up_if_superseded(result.error());
    on_looked_up(asked, result);
    turn();
  });
}

void Coordinator::on_looked_up(const std::vector<std::string>& gids, ports::Store::Found& result) {
  for (std::size_t i = 0; i < gids.size(); ++i) {
    if (result) {
      lookups_.came_back(gids[i], std::move((*result)[i]));
      continue;
    }
    auto [requests, load] = lookups_.take_waiting(gids[i]);
    inbox_.unqueue(load);
    for (auto& request : requests)
      std::visit([&](auto& one) { refuse(one.done, result.error()); }, request);
  }
}

void Coordinator::take_looked_up() {
  budget_.spend_on(Share::asked);
  while (lookups_.has_found() && may_take()) {
    const auto next = lookups_.take_found();
    auto [requests, load] = lookups_.take_waiting(next.gid);
    inbox_.unqueue(load);
    for (auto& request : requests)
      std::visit([&](auto& one) { resolve(one, next.stored); }, request);
  }
  if (lookups_.has_found()) BELAY_MARK(lookup_waits_for_batch);
}

// Since the lookup began the disk may have begun to refuse, or the engine to close.
template <NamesGid R>
void Coordinator::resolve(R& request, const std::optional<ports::StoredSummary>& stored) {
  if (puts_off(request)) return;
  if (stored) {
    if (const auto recalled = request.recall(*stored); !recalled)
      refuse(request.done, recalled.error());
    return;
  }
  const bool ended = given_up_ || phase_ == Phase::closed;
  if (const auto error = refusal(); error && (ended || !R::kOnlyLooks))
    return refuse(request.done, *error);
  // Another request that waited for the same lookup may have begun the transaction.
  if (auto* live = live_.find(request.key())) {
    if constexpr (std::is_same_v<R, WordRequest>) BELAY_MARK(word_met_lookup);
    meet(*live, request);
    return note_taken(request);
  }
  if constexpr (std::is_same_v<R, SubmitRequest>) {
    begin(request);
    note_taken(request);
  } else {
    const Error unknown{ErrorCode::not_found, fmt::format("no transaction with the gid '{}' is "
                                                          "known",
                                                          request.key())};
    if (R::kOnlyLooks) return request.done(unknown);
    refuse(request.done, unknown);
  }
}

}  // namespace belay::engine
