// Gids and answers: a submit begins a transaction, joins one, or is answered from the history.
#include <algorithm>
#include <iterator>
#include <type_traits>
#include <utility>

#include "base/mark.h"
#include "belay/check.h"
#include "core/apply.h"
#include "engine/coordinator.h"
#include "engine/limits.h"

namespace belay::engine {
namespace {

constexpr std::string_view kOtherDefinition =
    "this gid was submitted before with another definition";

TimePoint time_point(std::uint64_t ms) { return TimePoint(Millis(static_cast<std::int64_t>(ms))); }

}  // namespace

Report Coordinator::report_of(const ports::StoredSummary& stored, bool joined) {
  return Report({.gid = stored.gid,
                 .mode = stored.mode,
                 .status = stored.status,
                 .stuck = false,
                 .reason = stored.reason,
                 .created_at = time_point(stored.created_at),
                 .finished_at = time_point(stored.finished_at),
                 .joined = joined});
}

// Why nobody is answered any more.
std::optional<Error> Coordinator::end_of_service() const {
  if (given_up_) return given_up_;
  if (phase_ != Phase::running) return Error{ErrorCode::closed, "the engine is closing"};
  return std::nullopt;
}

// Why nothing new is taken at the moment.
std::optional<Error> Coordinator::refusal() const {
  if (auto error = end_of_service()) return error;
  if (disk_.refuses())
    return Error{ErrorCode::storage, "the state file refuses writes at the moment"};
  if (disk_.hangs()) return silence();
  return std::nullopt;
}

void Coordinator::begin(SubmitRequest& request) {
  if (counters_.live >= options_.limits.live_transactions_max) {
    return refuse(request.done, ErrorCode::live_limit,
                  fmt::format("{} transactions are unfinished, the limit is {}", counters_.live,
                              options_.limits.live_transactions_max));
  }
  // First: it bounds the work of what follows.
  if (auto topics = subscriptions_.check(request.definition); !topics)
    return refuse(request.done, topics.error().code, topics.error().detail);
  const auto subscribers = subscriptions_.memory_of(request.definition);
  if (const auto may = may_add(sizeof(Live) + core::memory_of(request.definition) + subscribers);
      !may)
    return refuse(request.done, may.error().code, may.error().detail);
  const bool prepares = request.entry == core::Entry::prepare;
  core::Record record{.kind = prepares ? core::RecordKind::prepared : core::RecordKind::submitted,
                      .id = ++last_id_,
                      .at = time_.now()};
  record.text = request.definition.bytes();
  write(record);
  auto& live = live_.insert(core::begin(record, std::move(request.definition)));
  live.last_lsn = last_lsn_ + 1;
  dirty_.append(live, live.last_lsn);
  ++counters_.live;
  ++counters_.submitted;
  live.waiters.push_back({std::move(request.done), request.wants_final, 0});
  if (prepares) live.reserved = static_cast<std::uint32_t>(subscribers);
  live_.weigh(live);
  if (!request.wants_final) hold({&live, ActKind::accepted, {}, 0});
  decide(live, core::Begun{});
}

// A lone transaction is always taken.
Result<> Coordinator::may_add(std::size_t bytes) const {
  const auto most = options_.limits.live_bytes_max;
  if (live_.bytes() == 0 || live_.bytes() + bytes <= most) return {};
  BELAY_MARK(live_bytes_ran_out);
  return Error{
      ErrorCode::live_bytes_limit,
      fmt::format("unfinished transactions take {} bytes, with {} more they pass the limit "
                  "of {}",
                  live_.bytes(), bytes, most)};
}

// When the memory is used up, one of those in it may still grow until it has ended, or they could
// all wait for each other's end.
Result<> Coordinator::may_grow(const Live& live, std::size_t bytes) {
  auto may = may_add(bytes);
  if (may || (grows_beyond_ != nullptr && grows_beyond_ != &live)) return may;
  grows_beyond_ = &live;
  return {};
}

// Whoever waits for an end and says nothing new.
Result<> Coordinator::may_wait(const Live& live, bool wants_final) const {
  if (!wants_final || live.transaction.finished()) return {};
  return may_add(sizeof(Waiter) + sizeof(Report));
}

void Coordinator::meet(Live& live, SubmitRequest& request) {
  if (!live.transaction.definition.is_same_as(request.definition)) {
    return refuse(request.done, ErrorCode::conflict, std::string(kOtherDefinition));
  }
  resume(live);
  // What was prepared is submitted by its definition as well as by its gid.
  if (request.entry == core::Entry::submit && live.transaction.driven &&
      live.transaction.status == Status::prepared)
    return submit_word(live, Millis{0}, {std::move(request.done), request.wants_final, 0});
  if (const auto may = may_wait(live, request.wants_final); !may)
    return refuse(request.done, may.error().code, may.error().detail);
  add_waiter(live,
             {.done = std::move(request.done), .wants_final = request.wants_final, .joined = true});
}

// What is not on disk yet cannot be told while the disk takes nothing, and whoever asks, asks
// again.
void Coordinator::meet(Live& live, FindRequest& request) {
  if (!disk_.is_ok() && !request.wants_final && !is_durable(live))
    return refuse(request.done, ErrorCode::storage,
                  "the state file takes no writes at the moment; ask again later");
  if (const auto may = may_wait(live, request.wants_final); !may)
    return refuse(request.done, may.error().code, may.error().detail);
  const auto until = request.timeout_ms == 0 ? 0 : time_.monotonic() + request.timeout_ms;
  add_waiter(live, {std::move(request.done), request.wants_final, until});
}

// Whoever joins hears of what is on disk, so the answer itself may have to wait for it.
void Coordinator::add_waiter(Live& live, Waiter waiter) {
  // Those who went away are dropped when somebody comes: never more of them than there were at
  // once.
  for (auto& old : live.waiters) {
    if (old.until != 0 && old.until <= time_.monotonic()) {
      old.done(Error{ErrorCode::timed_out, "the transaction is not finished yet"});
      old.done = nullptr;
    }
  }
  std::erase_if(live.waiters, [](const Waiter& old) { return !old.done; });
  if (!is_durable(live)) BELAY_MARK(joined_before_durable);
  const bool told_at_the_end = live.transaction.finished() ? !is_durable(live) : waiter.wants_final;
  if (!told_at_the_end && !is_durable(live)) {
    waiter.as_of = std::make_unique<Report>(report_of(live, waiter.joined));
    waiter.lsn = live.last_lsn;
  }
  if (!is_durable(live)) budget_.spend(0, sizeof(Waiter) + sizeof(Report));
  live.waiters.push_back(std::move(waiter));
  live_.weigh(live);
  if (!told_at_the_end) hold_or_release({&live, ActKind::accepted, {}, 0});
}

// If it went on meanwhile: nobody hears what is not on disk, and nobody waits for more than what he
// asked about. Its end tells everybody.
void Coordinator::tell_accepted(const Act& act) {
  auto& live = *act.live;
  if (is_durable(live)) return tell(live, live.transaction.finished());
  BELAY_MARK(went_on_before_told);
  auto waiters = std::move(live.waiters);
  live.waiters.clear();
  bool again = false;
  for (auto& waiter : waiters) {
    if (waiter.as_of && waiter.lsn <= durable_lsn_) {
      waiter.done(std::move(*waiter.as_of));
    } else {
      again = again || !(waiter.wants_final || waiter.as_of);
      live.waiters.push_back(std::move(waiter));
    }
  }
  live_.weigh(live);
  if (again && !live.transaction.finished()) hold(act);
}

void Coordinator::tell(Live& live, bool final_ones) {
  if (live.waiters.empty()) return;
  // A callback may bring new requests, but those come by the inbox: the list does not change under
  // us.
  auto waiters = std::move(live.waiters);
  live.waiters.clear();
  const Result<Report> result(report_of(live, false));
  for (auto& waiter : waiters) {
    if (waiter.wants_final && !final_ones) {
      live.waiters.push_back(std::move(waiter));
    } else {
      waiter.done(waiter.joined ? Result<Report>(report_of(live, true)) : result);
    }
  }
  live_.weigh(live);
}

Report Coordinator::report_of(const Live& live, bool joined) const {
  const auto& transaction = live.transaction;
  return Report({.gid = std::string(transaction.gid()),
                 .mode = transaction.mode(),
                 .status = transaction.status,
                 .stuck = live.stuck,
                 .reason = std::string(core::reason_of(transaction)),
                 .created_at = time_point(transaction.created_at),
                 .finished_at = time_point(transaction.finished() ? transaction.updated_at : 0),
                 .joined = joined});
}

// Nobody is left waiting for what the disk does not say; what it says later is heard all the same.
void Coordinator::end_lookups(const Error& error) {
  unqueue(lookups_.load());
  for (auto& request : lookups_.take_all_waiting())
    std::visit([&](auto& one) { refuse(one.done, error.code, error.detail); }, request);
}

void Coordinator::send_lookups() {
  if (disk_.is_looking_up() || !lookups_.has_to_send()) return;
  auto gids = lookups_.take_to_send(kLookupGids);
  disk_.begin_lookup(time_.monotonic());
  auto asked = gids;
  ports_.store.lookup(std::move(gids), [this, asked = std::move(asked)](auto result) {
    time_.tick(ports_.clock);
    disk_.end_lookup();
    if (!result && is_for_good(result.error())) give_up(result.error());
    on_looked_up(asked, result);
    turn();
  });
}

void Coordinator::on_looked_up(const std::vector<std::string>& gids,
                               Result<std::vector<std::optional<ports::StoredSummary>>>& result) {
  for (std::size_t i = 0; i < gids.size(); ++i) {
    if (result) {
      lookups_.came_back(gids[i], std::move((*result)[i]));
      continue;
    }
    for (auto& request : take_waiting(gids[i])) {
      std::visit([&](auto& one) { refuse(one.done, result.error().code, result.error().detail); },
                 request);
    }
  }
}

std::vector<GidRequest> Coordinator::take_waiting(const std::string& gid) {
  auto load = lookups_.load();
  auto requests = lookups_.take_waiting(gid);
  load -= lookups_.load();
  unqueue(load);
  return requests;
}

// The disk may have begun to refuse, or the engine to close, since it was asked.
template <NamesGid R>
void Coordinator::resolve(R& request, const std::optional<ports::StoredSummary>& stored) {
  if (stored) return recall(*stored, request);
  const bool ended = given_up_ || phase_ == Phase::closed;
  if (const auto error = refusal(); error && (ended || !R::kOnlyLooks))
    return refuse(request.done, error->code, error->detail);
  // Whoever asked first has begun it meanwhile, perhaps.
  if (auto* live = live_.find(request.key())) {
    if constexpr (std::is_same_v<R, WordRequest>) BELAY_MARK(word_met_lookup);
    return meet(*live, request);
  }
  if constexpr (std::is_same_v<R, SubmitRequest>) {
    begin(request);
  } else {
    const auto unknown = fmt::format("no transaction with the gid '{}' is known", request.key());
    if (R::kOnlyLooks) return request.done(Error{ErrorCode::not_found, unknown});
    refuse(request.done, ErrorCode::not_found, unknown);
  }
}

void Coordinator::take_looked_up() {
  budget_.spend_on(Share::asked);
  while (lookups_.has_found() && may_take()) {
    const auto next = lookups_.take_found();
    for (auto& request : take_waiting(next.gid))
      std::visit([&](auto& one) { resolve(one, next.stored); }, request);
  }
  if (lookups_.has_found()) BELAY_MARK(lookup_waits_for_batch);
}

void Coordinator::recall(const ports::StoredSummary& stored, SubmitRequest& request) {
  if (!request.definition.has_hash(stored.definition_hash))
    return refuse(request.done, ErrorCode::conflict, std::string(kOtherDefinition));
  request.done(report_of(stored));
}

void Coordinator::recall(const ports::StoredSummary& stored, FindRequest& request) {
  request.done(report_of(stored, false));
}

}  // namespace belay::engine
