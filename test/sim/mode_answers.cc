// What the callers of everything but sagas hear, and whether it may be so.
#include "mode_clients.h"

namespace belay::sim {

// Whether the answer reaches its caller at all; told once.
bool ModeClients::reaches(const Shared& request) {
  if (!world_.alive() || request->life != world_.life() || watch_()) return false;
  if (request->heard) world_.fail(request->known->gid() + ": a caller was told twice");
  request->heard = true;
  --request->known->pending;
  return true;
}

void ModeClients::heard(const Shared& request, const Result<Report>& result) {
  if (!reaches(request)) return;
  auto& known = *request->known;
  world_.note("told {}: {}", known.gid(),
              result ? std::string(name_of(result->status())) : result.error().detail);
  world_.mix(result ? static_cast<std::uint64_t>(result->status())
                    : 100 + static_cast<std::uint64_t>(result.error().code));
  result ? on_report(*request, *result) : on_error(*request, result.error());
  if (request->kind == Kind::prepare && result && result->status() == Status::prepared &&
      !request->was_accepted)
    go_on(known);
}

void ModeClients::heard_branch(const Shared& request, const Result<Outcome>& result) {
  if (!reaches(request)) return;
  auto& known = *request->known;
  --known.branches_open;
  world_.note("told {} of {}: {}", request->branch + 1, known.gid(),
              result ? name_of(result->kind()) : std::string_view(result.error().detail));
  if (!result) {
    on_error(*request, result.error());
  } else {
    known.book->branches[request->branch].answer = result->kind();
    if (result->kind() == OutcomeKind::ongoing) world_.fail(known.gid() + ": ended as ongoing");
    if (result->kind() == OutcomeKind::success && known.book->aborted &&
        !known.book->branches[request->branch].tried && !known.book->orders.may_have_decided() &&
        !known.book->spec.branches[request->branch].first.empty())
      world_.fail(known.gid() + ": told of a success that never was");
  }
  known.any_failed = known.any_failed || !result || result->kind() != OutcomeKind::success;
  if (known.branches_open == 0) go_on(known);
}

void ModeClients::on_report(const Request& request, const Report& report) {
  auto& known = *request.known;
  auto& book = *known.book;
  const auto status = report.status();
  if (report.gid() != known.gid() || report.mode() != book.spec.mode)
    world_.fail(known.gid() + ": was told of " + report.gid());
  if (book.may_exist <= 0) world_.fail(known.gid() + ": exists, though every request was refused");
  if (request.wants_final && !report.finished())
    world_.fail(known.gid() + ": waited for its end and was told before");
  const bool goes = status == Status::submitted || status == Status::succeed;
  const bool stopped = book.may_be_stopped() && status == Status::failed;
  if (request.kind == Kind::stop && !stopped)
    world_.fail(fmt::format("{}: stopped, and told {}", known.gid(), name_of(status)));
  if (request.kind == Kind::word_submit && !goes && !stopped)
    world_.fail(fmt::format("{}: submitted, and told {}", known.gid(), name_of(status)));
  if (request.kind == Kind::word_abort && (goes || status == Status::prepared))
    world_.fail(fmt::format("{}: aborted, and told {}", known.gid(), name_of(status)));
  const bool is_back = request.order != nullptr && request.order->verb == Verb::back;
  if (is_back && status != Status::aborting && status != Status::failed)
    world_.fail(fmt::format("{}: turned back, and told {}", known.gid(), name_of(status)));
  if (request.order != nullptr) told_order(known, *request.order, {});
  if (known.last && is_final(*known.last) && *known.last != status)
    world_.fail(
        fmt::format("{}: was {} and is {}", known.gid(), name_of(*known.last), name_of(status)));
  if (known.last && *known.last != Status::prepared && status == Status::prepared)
    world_.fail(known.gid() + ": is prepared again");
  accepted_ += known.accepted ? 0 : 1;
  known.accepted = true;
  ledger_.told(book, status);
  if (report.finished()) {
    ledger_.check_final(book, status);
    if (!known.last || !is_final(*known.last)) ++(status == Status::succeed ? succeeded_ : failed_);
    known.settled = true;
  }
  known.last = status;
}

bool ModeClients::may_be_forbidden(const Request& request) const {
  const auto& book = *request.known->book;
  const bool has_orders = book.stop_sent || book.orders.may_have_decided();
  if (has_orders && request.kind != Kind::prepare && request.kind != Kind::find) return true;
  switch (request.kind) {
    case Kind::word_submit: return !book.submitted;
    case Kind::word_abort:
      return !book.aborted &&
             (book.submit_sent || !book.spec.driven || book.truth == Truth::committed);
    case Kind::submit: return book.spec.driven && !book.submitted;
    case Kind::branch:
    case Kind::stop:
    case Kind::hasten:
    case Kind::order: return true;
    case Kind::prepare:
    case Kind::find: break;
  }
  return false;
}

bool ModeClients::may_be_refused_with(const Request& request, ErrorCode code) const {
  const auto& limits = plan_.options.limits;
  const auto& spec = request.known->book->spec;
  const bool begins = request.kind == Kind::submit || request.kind == Kind::prepare;
  switch (code) {
    case ErrorCode::busy: return limits.queued_submits_max < 100 || request.kind == Kind::order;
    // Who sends to a topic cannot be sent elsewhere.
    case ErrorCode::invalid_argument:
      return request.kind == Kind::order && spec.mode == Mode::msg && plan_.others.topics != 0;
    case ErrorCode::live_limit: return limits.live_transactions_max < 100 && begins;
    case ErrorCode::live_bytes_limit: return plan_.memory_runs_out();
    case ErrorCode::queued_bytes_limit: return plan_.queue_runs_out();
    case ErrorCode::storage:
    case ErrorCode::commit_unknown: return !plan_.disk.empty() || !plan_.crashes.empty();
    case ErrorCode::superseded: return plan_.second_engines != 0;
    case ErrorCode::closed: return true;
    case ErrorCode::not_found: return !begins;
    case ErrorCode::no_subscriber: return spec.mode == Mode::msg && plan_.others.topics != 0;
    case ErrorCode::forbidden: return may_be_forbidden(request);
    default: return false;
  }
}

void ModeClients::on_error(const Request& request, const Error& error) {
  auto& known = *request.known;
  if (!may_be_refused_with(request, error.code))
    world_.fail(fmt::format("{}: error {} ({})", known.gid(), name_of(error.code), error.detail));
  const bool begins = request.kind == Kind::submit || request.kind == Kind::prepare;
  if (error.code == ErrorCode::not_found && !begins) on_not_found(request);
  if (request.order != nullptr) told_order(known, *request.order, error);
  if (!begins) return;
  const bool left_nothing =
      error.code == ErrorCode::busy || error.code == ErrorCode::live_limit ||
      error.code == ErrorCode::live_bytes_limit || error.code == ErrorCode::queued_bytes_limit ||
      error.code == ErrorCode::storage || error.code == ErrorCode::no_subscriber ||
      error.code == ErrorCode::forbidden ||
      (error.code == ErrorCode::closed && !request.wants_final);
  if (left_nothing) --known.book->may_exist;
}

void ModeClients::on_not_found(const Request& request) {
  auto& known = *request.known;
  if (request.was_accepted && !plan_.forgets())
    world_.fail(known.gid() + ": was accepted and is not known any more");
  // Nothing of it is under way: then it never will be, or it was and is forgotten.
  if (request.kind != Kind::find || known.pending != 0) return;
  if (known.accepted || ledger_.was_called(*known.book)) {
    if (!plan_.forgets()) world_.fail(known.gid() + ": ran, and is not known");
  }
  known.settled = true;
}

}  // namespace belay::sim
