#include "mode_ledger.h"

#include <algorithm>

#include "core/ops.h"
#include "core/topics.h"

namespace belay::sim {
namespace {

std::size_t phase_index(Op op) {
  if (core::phase_of(op) == core::Phase::first) return 0;
  return op == Op::confirm || op == Op::commit ? 1 : 2;
}

bool is_two_phase(const ModeSpec& spec) { return spec.mode != Mode::msg; }

const std::string& target_of(const TwoPhaseBranch& branch, std::size_t phase) {
  return phase == 0 ? branch.first : phase == 1 ? branch.commit : branch.rollback;
}

constexpr std::uint32_t kQuery = ~std::uint32_t{0};  // the back-check's branch id is "00"

Op op_of(const ModeSpec& spec, std::size_t phase) {
  const auto& ops = core::ops_of(spec.mode);
  return phase == 0 ? ops.first : phase == 1 ? ops.commit : ops.rollback;
}

}  // namespace

bool ModeLedger::may_have_succeeded(const Book& book, std::uint32_t id, std::size_t phase) {
  const auto found = book.calls.find(id);
  const bool has_said = found != book.calls.end() && found->second.succeeded[phase];
  return has_said || book.orders.may_have_succeeded(id, op_of(book.spec, phase));
}

// Whether an operator may have said that this phase of the branch succeeded. A branch that was
// never called has no id here, so then it counts whatever branch was meant.
bool ModeLedger::has_a_word(const Book& book, std::size_t index, std::size_t phase) {
  const auto op = op_of(book.spec, phase);
  const auto bound = std::find_if(book.calls.begin(), book.calls.end(), [&](const auto& one) {
    return one.second.index == index && !one.second.is_query;
  });
  if (bound == book.calls.end()) return book.orders.may_have_succeeded(op);
  return book.orders.may_have_succeeded(bound->first, op);
}

ModeLedger::Book& ModeLedger::add(ModeSpec spec) {
  auto book = std::make_unique<Book>();
  book->branches.resize(spec.branches.size());
  for (std::size_t i = 0; i < spec.asked_with; ++i) book->branches[i].registered = true;
  book->first_asked_ms = world_.now_ms();
  book->spec = std::move(spec);
  auto& slot = books_[book->spec.gid];
  slot = std::move(book);
  return *slot;
}

void ModeLedger::complain(const Book& book, std::string_view what) {
  world_.fail(fmt::format("{}: {}", book.spec.gid, what));
}

void ModeLedger::may_go(Book& book) {
  if (book.fans_out_from == 0) book.fans_out_from = topics_.now();
}

void ModeLedger::has_gone(Book& book) {
  if (book.fans_out_to == 0) book.fans_out_to = topics_.now();
}

void ModeLedger::told(Book& book, Status status) {
  // Also if the stop turns out to be refused later: its row is read late.
  if ((book.may_be_stopped() || book.stopped) && status == Status::failed) {
    book.stopped = true;
    return;
  }
  if (book.orders.must_be_stopped() && status == Status::succeed)
    complain(book, "succeeded, and its operator had ended it");
  if (book.stopped) complain(book, "failed, and is something else");
  if (status == Status::submitted || status == Status::succeed) {
    if (book.aborted) complain(book, "was aborted, and goes forward");
    if (book.spec.driven && !book.submit_sent && book.spec.query.empty())
      complain(book, "goes forward, and nobody said so");
    book.submitted = true;
    has_gone(book);
  }
  if (status == Status::aborting || status == Status::failed) {
    if (book.submitted) complain(book, "was submitted, and turned back");
    book.aborted = true;
  }
}

// A branch id is bound to what it stands for by the payload of its first call.
ModeLedger::CallBook* ModeLedger::bind(Book& book, std::uint32_t branch, const Call& call) {
  const auto known = book.calls.find(branch);
  if (known != book.calls.end()) return &known->second;
  CallBook calls;
  calls.target = call.target;
  const auto payload = unedited(call.payload);
  const auto same = [&](const auto& one) { return one.payload == payload; };
  if (call.op == Op::query) {
    calls.is_query = true;
  } else if (is_two_phase(book.spec)) {
    const auto& all = book.spec.branches;
    calls.index =
        static_cast<std::size_t>(std::find_if(all.begin(), all.end(), same) - all.begin());
    if (calls.index == all.size() || !book.branches[calls.index].registered) return nullptr;
  } else {
    const auto& all = book.spec.deliveries;
    calls.index =
        static_cast<std::size_t>(std::find_if(all.begin(), all.end(), same) - all.begin());
    if (calls.index == all.size()) return nullptr;
  }
  for (const auto& [other, theirs] : book.calls) {
    const bool equal = theirs.index == calls.index && theirs.is_query == calls.is_query &&
                       (is_two_phase(book.spec) || theirs.target == calls.target);
    if (equal)
      complain(book, fmt::format("branches {} and {} are the same", other + 1, branch + 1));
  }
  return &book.calls.emplace(branch, std::move(calls)).first->second;
}

std::uint64_t ModeLedger::on_call(const Call& call) {
  const auto found = books_.find(call.gid);
  if (found == books_.end()) {
    world_.fail(std::string(call.gid) + ": called, and nobody ever asked for it");
    return 0;
  }
  auto& book = *found->second;
  const auto id = Ledger::branch_of(call.branch_id);
  auto* calls = bind(book, id, call);
  if (calls == nullptr) {
    complain(book, fmt::format("branch {} is called, and nobody registered it", call.branch_id));
    return 0;
  }
  const auto phase = phase_index(call.op);
  if (book.stopped || book.orders.must_be_stopped())
    complain(book, "called after its end was told");
  check_edits(book, id, *calls, call);
  check_parts(book, *calls, phase, call);
  if (phase == 1) check_confirm(book, *calls);
  if (phase == 2) check_cancel(book, *calls);
  if (phase == 0 && is_two_phase(book.spec)) check_try(book, *calls);
  if (call.op == Op::action) check_delivery(book, id, call);
  book.confirms = book.confirms || phase == 1;
  book.cancels = book.cancels || phase == 2;
  ++calls->called[phase];
  calls->last_fence = call.fence;
  calls->open = true;
  calls->open_phase = phase;
  calls->open_life = world_.life();
  calls->open_until_ms = world_.now_ms() + static_cast<std::uint64_t>(call.timeout.count());
  return ++calls->number;
}

void ModeLedger::check_parts(const Book& book, const CallBook& calls, std::size_t phase,
                             const Call& call) {
  const auto& spec = book.spec;
  if (book.may_exist <= 0) complain(book, "called, though every request for it was refused");
  const auto ops = core::ops_of(spec.mode);
  if (call.op != Op::query && call.op != ops.first && call.op != ops.commit &&
      call.op != ops.rollback)
    complain(book,
             fmt::format("is a {} and was asked to {}", name_of(spec.mode), name_of(call.op)));
  if (call.fence <= calls.last_fence)
    complain(book, fmt::format("fence {} after {}", call.fence, calls.last_fence));
  if (call.attempt < 1 || call.attempt > calls.called[phase] + 1)
    complain(book,
             fmt::format("attempt {} is call number {}", call.attempt, calls.called[phase] + 1));
  if (calls.open && calls.open_life == world_.life() && world_.now_ms() < calls.open_until_ms)
    complain(book, "called while a call of that branch is in flight");
  const bool waits = calls.is_query && may_go_to_nobody(book);
  if (calls.succeeded_in_life[phase] == world_.life() && !waits)
    complain(book, fmt::format("{} called again after its success", name_of(call.op)));
}

// A delivery's target: see `check_delivery`. What was sent to a topic keeps its targets.
void ModeLedger::check_edits(Book& book, std::uint32_t id, const CallBook& calls,
                             const Call& call) {
  const auto& spec = book.spec;
  auto& orders = book.orders;
  if (orders.must_have_succeeded(id, call.op))
    complain(book, "called after its operator said that it succeeded");
  if (calls.is_query) {
    if (!orders.is_target(id, call.op, spec.query, call.target)) complain(book, "wrong back-check");
    return;
  }
  const bool two_phase = is_two_phase(spec);
  const auto& payload =
      two_phase ? spec.branches[calls.index].payload : spec.deliveries[calls.index].payload;
  if (!orders.is_payload(id, payload, call.payload))
    complain(book, fmt::format("wrong payload '{}'", call.payload));
  if (!two_phase) return;
  const auto& target = target_of(spec.branches[calls.index], phase_index(call.op));
  if (!orders.is_target(id, call.op, target, call.target))
    complain(book, fmt::format("wrong target {}", call.target));
}

// A topic may have had no subscriber since the message was committed.
bool ModeLedger::may_go_to_nobody(const Book& book) const {
  const auto& all = book.spec.deliveries;
  return std::any_of(all.begin(), all.end(), [&](const auto& one) {
    return core::is_topic(one.target) &&
           !topics_.must_be_anybody(one.target.substr(kTopicPrefix.size()), book.fans_out_from,
                                    topics_.now());
  });
}

bool ModeLedger::is_tried(const Book& book, std::size_t index) const {
  if (book.spec.branches[index].first.empty() || has_a_word(book, index, 0)) return true;
  return std::any_of(book.calls.begin(), book.calls.end(), [&](const auto& one) {
    return one.second.index == index && one.second.succeeded[0];
  });
}

void ModeLedger::check_try(const Book& book, const CallBook& calls) {
  if (book.confirms || book.cancels) complain(book, "tried after the decision");
  if (book.submitted || book.aborted) complain(book, "tried after the decision was told");
  if (book.branches[calls.index].answer == OutcomeKind::success)
    complain(book, "tried after its success was told");
  if (!book.spec.in_order || book.spec.driven) return;
  for (std::size_t i = 0; i < calls.index; ++i) {
    if (!is_tried(book, i)) complain(book, "tried before the branch before it succeeded");
  }
}

void ModeLedger::check_confirm(const Book& book, const CallBook& calls) {
  if (book.cancels) complain(book, "confirmed after a cancel");
  if (book.aborted) complain(book, "confirmed after it was aborted");
  if (book.spec.driven && !book.submit_sent) complain(book, "confirmed without its caller's word");
  for (std::size_t i = 0; i < book.branches.size(); ++i) {
    const auto& branch = book.branches[i];
    if (branch.answer == OutcomeKind::failure) complain(book, "confirmed after a failed try");
    const bool certain = i < book.spec.asked_with || branch.answer == OutcomeKind::success;
    if (certain && !is_tried(book, i))
      complain(book, fmt::format("confirmed, and the try of {} never succeeded", i + 1));
  }
  for (const auto& [id, other] : book.calls) {
    if (other.called[0] != 0 && !may_have_succeeded(book, id, 0))
      complain(book, fmt::format("confirmed, and branch {} has no success", id + 1));
  }
  if (!book.spec.in_order) return;
  for (const auto& [id, other] : book.calls) {
    if (&other == &calls) return;
    if (!book.spec.branches[other.index].commit.empty() && !may_have_succeeded(book, id, 1))
      complain(book, fmt::format("confirmed before branch {} was", id + 1));
  }
}

void ModeLedger::check_cancel(const Book& book, const CallBook& calls) {
  if (book.confirms) complain(book, "cancelled after a confirm");
  if (book.submitted) complain(book, "cancelled after it was submitted");
  const bool deadline =
      ahead_at_start_ || world_.now_ms() + 1 >= book.first_asked_ms + book.spec.timeout_ms;
  const bool said_so = book.abort_sent || book.orders.may_turn_back();
  if (!book.heard_failure && !said_so && !book.spec.may_turn_back && !deadline)
    complain(book, "cancelled, and nothing had gone wrong");
  if (!book.spec.in_order) return;
  for (auto one = book.calls.rbegin(); one != book.calls.rend(); ++one) {
    const auto& other = one->second;
    if (&other == &calls) return;
    const bool has_way_back = !book.spec.branches[other.index].rollback.empty();
    if (has_way_back && other.called[0] != 0 && !may_have_succeeded(book, one->first, 2))
      complain(book, fmt::format("cancelled before branch {} was", one->first + 1));
  }
}

void ModeLedger::check_delivery(Book& book, std::uint32_t id, const Call& call) {
  const auto& spec = book.spec;
  const auto& calls = book.calls.at(id);
  if (book.aborted) complain(book, "delivered after it was aborted");
  if (spec.driven && spec.query.empty() && !book.submit_sent)
    complain(book, "delivered, and nobody submitted it");
  const bool may_go =
      book.truth == Truth::committed || book.orders.may_have_succeeded(kQuery, Op::query);
  if (spec.driven && !spec.query.empty() && !may_go)
    complain(book, "delivered, and the local transaction did not commit");
  has_gone(book);
  const auto& wanted = spec.deliveries[calls.index].target;
  if (!core::is_topic(wanted)) {
    if (!book.orders.is_target(id, Op::action, wanted, call.target))
      complain(book, "delivered to the wrong target");
  } else if (!topics_.may_be(wanted.substr(kTopicPrefix.size()), calls.target, book.fans_out_from,
                             book.fans_out_to)) {
    complain(book, fmt::format("delivered to {}, which is not subscribed", calls.target));
  }
  if (!spec.in_order) return;
  for (const auto& [other_id, other] : book.calls) {
    if (other.index < calls.index && !other.is_query && !may_have_succeeded(book, other_id, 0))
      complain(book, "delivered before the one before it succeeded");
  }
}

void ModeLedger::on_answer(const std::string& gid, std::uint32_t branch, std::uint64_t number,
                           OutcomeKind outcome) {
  auto& book = *books_.at(gid);
  auto& calls = book.calls.at(branch);
  if (!calls.open || calls.number != number) return;
  calls.open = false;
  const auto phase = calls.open_phase;
  if (outcome == OutcomeKind::success) {
    calls.succeeded[phase] = true;
    if (world_.now_ms() < calls.open_until_ms) calls.succeeded_in_life[phase] = world_.life();
  }
  if (outcome == OutcomeKind::failure && phase == 0) book.heard_failure = true;
}

// As the barrier's: who asks for a transaction that is still open, ends it.
Outcome ModeLedger::query(Book& book) {
  if (planted_ == Planted::hasty_query) return may_go(book), Outcome::success();
  if (book.truth == Truth::open) book.truth = Truth::rolled_back;
  if (book.truth == Truth::rolled_back) return Outcome::failure("not committed");
  may_go(book);
  return Outcome::success();
}

Outcome ModeLedger::execute(const std::string& gid, std::uint32_t branch, Op op) {
  auto& book = *books_.at(gid);
  auto& calls = book.calls.at(branch);
  if (op == Op::query) return query(book);
  if (op == Op::action) {
    calls.delivered = true;
    return Outcome::success();
  }
  auto& at_bank = book.branches[calls.index];
  const auto phase = phase_index(op);
  if (phase == 0) {
    if (at_bank.cancelled && planted_ != Planted::no_barrier)
      return Outcome::failure("cancelled before it was tried");
    if (book.spec.refuses[calls.index]) {
      return planted_ == Planted::wrong_answer ? Outcome::success()
                                               : Outcome::failure("refused by the bank");
    }
    at_bank.tried = true;
    if (planted_ == Planted::no_barrier) at_bank.cancelled = false;
  } else if (phase == 1) {
    if (at_bank.cancelled) complain(book, "confirmed what was cancelled");
    const bool said_so = book.orders.may_have_succeeded(branch, op_of(book.spec, 0));
    if (!at_bank.tried && !said_so && !book.spec.branches[calls.index].first.empty())
      complain(book, "confirmed what was never reserved");
    at_bank.confirmed = true;
  } else {
    if (at_bank.confirmed) complain(book, "cancelled what was confirmed");
    at_bank.cancelled = true;
  }
  return Outcome::success();
}

void ModeLedger::check_final(Book& book, Status status) {
  told(book, status);
  if (book.stopped) return;  // nothing is promised but that this is the end
  is_two_phase(book.spec) ? check_two_phase_end(book, status) : check_msg_end(book, status);
}

void ModeLedger::check_two_phase_end(const Book& book, Status status) {
  for (std::size_t i = 0; i < book.branches.size(); ++i) {
    const auto& at_bank = book.branches[i];
    const auto& branch = book.spec.branches[i];
    const bool known =
        i < book.spec.asked_with || at_bank.answer == OutcomeKind::success || at_bank.tried;
    if (status == Status::succeed) {
      const bool said_so = has_a_word(book, i, 1);
      if (known && !said_so && !branch.commit.empty() && !at_bank.confirmed)
        complain(book, fmt::format("succeeded, and {} is not confirmed", i + 1));
      if (at_bank.cancelled) complain(book, fmt::format("succeeded, and {} is cancelled", i + 1));
    } else {
      const bool said_so = has_a_word(book, i, 2);
      if (at_bank.tried && !said_so && !branch.rollback.empty() && !at_bank.cancelled)
        complain(book, fmt::format("failed, and {} is still reserved", i + 1));
      if (at_bank.confirmed) complain(book, fmt::format("failed, and {} is confirmed", i + 1));
    }
  }
  if (status == Status::succeed) return;
  for (const auto& [id, calls] : book.calls) {
    const bool has_way_back = !book.spec.branches[calls.index].rollback.empty();
    if (calls.called[0] != 0 && has_way_back && !may_have_succeeded(book, id, 2))
      complain(book, fmt::format("failed, and branch {} was never cancelled", id + 1));
  }
}

void ModeLedger::check_msg_end(Book& book, Status status) {
  const auto& spec = book.spec;
  if (status == Status::failed) {
    if (!spec.driven) complain(book, "failed, and was submitted");
    if (!spec.query.empty() && book.truth == Truth::committed && !book.orders.may_turn_back())
      complain(book, "failed, and its local half committed");
    const bool delivered = std::any_of(book.calls.begin(), book.calls.end(),
                                       [](const auto& one) { return one.second.delivered; });
    if (delivered) complain(book, "failed, and was delivered");
    return;
  }
  const bool may_go =
      book.truth == Truth::committed || book.orders.may_have_succeeded(kQuery, Op::query);
  if (spec.driven && !spec.query.empty() && !may_go)
    complain(book, "succeeded, and its local half did not commit");
  for (std::size_t i = 0; i < spec.deliveries.size(); ++i) {
    const auto& target = spec.deliveries[i].target;
    // What an operator says need not be so; subscribers have numbers of their own.
    if (core::is_topic(target)) {
      if (!book.orders.may_have_succeeded(Op::action)) check_topic_end(book, i);
      continue;
    }
    if (book.orders.may_have_succeeded(static_cast<std::uint32_t>(i), Op::action)) continue;
    const bool delivered = std::any_of(book.calls.begin(), book.calls.end(), [&](const auto& one) {
      return one.second.index == i && !one.second.is_query && one.second.delivered;
    });
    if (!target.empty() && !delivered)
      complain(book, fmt::format("succeeded, and {} was not delivered", i + 1));
  }
}

void ModeLedger::check_topic_end(const Book& book, std::size_t delivery) {
  const auto name = book.spec.deliveries[delivery].target.substr(kTopicPrefix.size());
  for (const auto& [topic, target] : topics_.known()) {
    const bool must =
        topic == name && topics_.must_be(topic, target, book.fans_out_from, book.fans_out_to);
    const bool delivered =
        std::any_of(book.calls.begin(), book.calls.end(), [&, &wanted = target](const auto& one) {
          return one.second.index == delivery && one.second.target == wanted &&
                 one.second.delivered;
        });
    if (must && !delivered)
      complain(book, fmt::format("{} is subscribed to {}, and heard nothing", target, topic));
  }
}

}  // namespace belay::sim
