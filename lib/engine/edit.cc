// An operator changes what a branch is called with. If the branch waits, it is called at once.
#include "core/edit.h"

#include <utility>

#include "core/apply.h"
#include "engine/coordinator.h"
#include "engine/log_about.h"

namespace belay::engine {

std::size_t memory_of(const Changes& changes) {
  auto sum = sizeof(Changes);
  if (changes.target) sum += changes.target->size();
  if (changes.payload) sum += changes.payload->size();
  for (const auto& [name, value] : changes.headers)
    sum += sizeof(Header) + name.size() + value.size();
  for (const auto& name : changes.without_headers) sum += sizeof(std::string) + name.size();
  return sum;
}

void Coordinator::edit_branch(Live& live, WordRequest& request) {
  const auto branch = find_branch(live, request);
  if (!branch) return;
  const auto may = core::may_edit(live.transaction, *branch, request.op);
  const bool is_waiting = waits_for_place(live, *branch, may);
  if (!may && !is_waiting) return refuse(request.done, may.error());
  const auto may_call = [this](std::string_view target, std::string_view payload,
                               const std::vector<Header>& headers) {
    return ports_.caller.check(target, payload, headers);
  };
  const auto text = core::edit(live.transaction, *branch, request.op, *request.changes,
                               request.reason, options_.limits, may_call);
  if (!text) return refuse(request.done, text.error());
  if (const auto grows = memory_.may_grow(live, text->size()); !grows)
    return refuse(request.done, grows.error());
  calls_.outdate(live, *branch);
  if (is_waiting) calls_.withdraw(live, *branch);
  if (live.was_parked) parked_.remove(live);
  const bool resumes = options_.makes_calls && stop_resuming(live);  // else no deadline passes
  decide(live, core::WordEdit{*branch, request.op, *text, is_waiting, resumes});
  if (live.was_parked) park_again(live);
  log_about(log_, LogLevel::info, live.transaction, "is edited: branch {}: {}", request.branch_id,
            core::read_edit(*text)->note);
  add_waiter(live, {std::move(request.done), false, 0});
}

// The index knows a transaction by the names that it waits for, and one of them has changed. A
// handler that was registered meanwhile has woken the entry that was removed.
void Coordinator::park_again(Live& live) {
  const auto& transaction = live.transaction;
  for (std::uint32_t i = 0; i < transaction.branches.size(); ++i) {
    const auto& branch = transaction.branches[i];
    if (!branch.parked || branch.in_flight || !core::is_pending(transaction, i)) continue;
    const auto target = transaction.definition.target(i, core::current_op(transaction, i));
    if (ports_.caller.kind_of(target) == ports::Caller::Kind::unregistered) {
      parked_.add(target, live);
    } else {
      decide(live, core::Registered{i});
    }
  }
}

}  // namespace belay::engine
