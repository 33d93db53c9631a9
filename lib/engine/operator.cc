// The commands of an operator for any transaction: end it as failed, or let it wait no longer.
#include <utility>

#include "core/apply.h"
#include "engine/coordinator.h"
#include "engine/log_about.h"

namespace belay::engine {

// A recovered transaction is not resumed before it is stopped, because no call may be made. A
// transaction that was stopped before the restart ends when it is resumed.
void Coordinator::stop(Live& live, WordRequest& request) {
  if (const auto may = core::may_stop(live.transaction); !may)
    return refuse(request.done, may.error());
  if (live.transaction.stopped) {
    if (const auto may = memory_.may_wait(live, true); !may)
      return refuse(request.done, may.error());
    resume(live);
  } else {
    stop_resuming(live);
    decide(live, core::WordStop{request.reason});
    log_about(log_, LogLevel::info, live.transaction, "is stopped: {}",
              core::reason_of(live.transaction));
  }
  add_waiter(live, {std::move(request.done), true, 0});
}

void Coordinator::hasten(Live& live, WordRequest& request) {
  resume(live);
  if (const auto may = core::may_stop(live.transaction); !may)
    return refuse(request.done, may.error());
  decide(live, core::Hastened{});
  add_waiter(live, {std::move(request.done), false, 0});
}

void Coordinator::take(HastenRequest& request) {
  if (const auto error = refusal()) return refuse(request.done, *error);
  hastening_.add(std::move(request), time_.now(), due_);
}

void Coordinator::hasten_some() {
  if (hastening_.empty() || phase_ != Phase::running || !budget_.has_room()) return;
  for (auto* live : hastening_.next_slice(due_)) decide(*live, core::Hastened{});
  hastening_.end_slice();
}

void Coordinator::end_hastening(const Error& error) {
  for (const auto& done : hastening_.take_all()) refuse(done, error);
}

}  // namespace belay::engine
