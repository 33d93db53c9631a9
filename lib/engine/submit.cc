// Submits and finds: a submit begins a transaction, joins an existing one, or is answered from the
// history.
#include <utility>

#include "base/mark.h"
#include "core/apply.h"
#include "engine/coordinator.h"
#include "engine/waiters.h"

namespace belay::engine {
namespace {

Error other_definition() {
  return {ErrorCode::conflict, "this gid was submitted before with another definition"};
}

}  // namespace

void Coordinator::begin(SubmitRequest& request) {
  if (figures_.counters.live >= options_.limits.live_transactions_max) {
    return refuse(request.done,
                  {ErrorCode::live_limit,
                   fmt::format("{} transactions are unfinished, the limit is {}",
                               figures_.counters.live, options_.limits.live_transactions_max)});
  }
  // This check comes first because it limits the work of the following checks.
  if (const auto topics = subscriptions_.check(request.definition); !topics)
    return refuse(request.done, topics.error());
  const auto subscribers = subscriptions_.memory_of(request.definition);
  const auto bytes = sizeof(Live) + core::memory_of(request.definition) + subscribers;
  if (const auto may = memory_.may_add(bytes); !may) return refuse(request.done, may.error());
  const bool prepares = request.entry == core::Entry::prepare;
  core::Record record{.kind = prepares ? core::RecordKind::prepared : core::RecordKind::submitted,
                      .id = ++last_id_,
                      .at = time_.now()};
  record.text = request.definition.bytes();
  budget_.spend(1, batches_.open.write(record));
  auto& live = live_.insert(core::begin(record, std::move(request.definition)));
  live.last_lsn = batches_.next();
  checkpoint_.wrote(live, live.last_lsn);
  ++figures_.counters.live;
  ++figures_.counters.submitted;
  live.add_waiter({std::move(request.done), request.wants_final, 0});
  if (prepares) live.reserved = static_cast<std::uint32_t>(subscribers);
  live_.weigh(live);
  if (!request.wants_final) batches_.hold({&live, ActKind::accepted, {}, 0});
  decide(live, core::Begun{});
}

void Coordinator::meet(Live& live, SubmitRequest& request) {
  if (!live.transaction.definition.is_same_as(request.definition))
    return refuse(request.done, other_definition());
  // A prepared transaction can be submitted by its definition as well as by its gid.
  const bool gives_word = request.entry == core::Entry::submit && live.transaction.driven &&
                          live.transaction.status == Status::prepared;
  // A repeated submit only joins: what was posted for the transaction comes before it goes on.
  if (gives_word || posted_.orders_taken()) resume(live);
  if (gives_word)
    return submit_word(live, Millis{0}, {std::move(request.done), request.wants_final, 0});
  if (const auto may = memory_.may_wait(live, request.wants_final); !may)
    return refuse(request.done, may.error());
  add_waiter(live,
             {.done = std::move(request.done), .wants_final = request.wants_final, .joined = true});
}

Result<> SubmitRequest::recall(const ports::StoredSummary& stored) const {
  if (!definition.has_hash(stored.definition_hash)) return other_definition();
  done(report_of(stored));
  return {};
}

// A state that is not on disk yet cannot be reported while the disk accepts no writes. The caller
// can ask again.
void Coordinator::meet(Live& live, FindRequest& request) {
  if (!disk_.is_ok() && !request.wants_final && !batches_.is_durable(live)) {
    return refuse(request.done, {ErrorCode::storage,
                                 "the state file takes no writes at the moment; ask again later"});
  }
  if (const auto may = memory_.may_wait(live, request.wants_final); !may)
    return refuse(request.done, may.error());
  const auto until = request.timeout_ms == 0 ? 0 : time_.monotonic() + request.timeout_ms;
  add_waiter(live, {std::move(request.done), request.wants_final, until});
}

Result<> FindRequest::recall(const ports::StoredSummary& stored) const {
  done(report_of(stored, false));
  return {};
}

// A caller that joins an existing transaction is told only what is on disk. So its answer may have
// to wait for the commit.
void Coordinator::add_waiter(Live& live, Waiter waiter) {
  drop_late_waiters(live, time_.monotonic());
  if (!batches_.is_durable(live)) BELAY_MARK(joined_before_durable);
  const bool told_at_the_end =
      live.transaction.finished() ? !batches_.is_durable(live) : waiter.wants_final;
  if (!told_at_the_end && !batches_.is_durable(live)) {
    waiter.as_of = std::make_unique<Report>(report_of(live, waiter.joined));
    waiter.lsn = live.last_lsn;
  }
  if (!batches_.is_durable(live)) budget_.spend(0, sizeof(Waiter) + sizeof(Report));
  live.add_waiter(std::move(waiter));
  live_.weigh(live);
  if (!told_at_the_end) hold_or_release({&live, ActKind::accepted, {}, 0});
}

// If the transaction went on meanwhile, its end answers the other waiters.
void Coordinator::tell_accepted(const Act& act) {
  auto& live = *act.live;
  bool left = false;
  if (batches_.is_durable(live)) {
    tell_waiters(live, live.transaction.finished());
  } else {
    left = tell_accepted_waiters(live, batches_.durable());
  }
  live_.weigh(live);
  if (left && !live.transaction.finished()) batches_.hold(act);
}

}  // namespace belay::engine
