#include "clients.h"
#include "support/encode.h"

#include <algorithm>

namespace belay::sim {
namespace {

constexpr std::size_t kSagasAskedAtOnce = 20;

Result<core::Definition> parse(const std::string& bytes) { return core::Definition::parse(bytes); }

}  // namespace

Clients::Clients(World& world, const Plan& plan, Ledger& ledger, Banks& banks, test::Random random)
    : world_(world), plan_(plan), ledger_(ledger), banks_(banks), random_(random) {}

void Clients::set_engine(engine::Coordinator* engine) {
  engine_ = engine;
  for (auto& known : sagas_) {
    known->pending = 0;  // who waited for the dead one waits for nobody
    if (engine == nullptr) ledger_.orders(known->gid).process_died();
  }
}

void Clients::check_all_heard() {
  for (const auto& known : sagas_) {
    if (known->pending != 0)
      world_.fail(known->gid + ": a caller heard nothing before the engine closed");
  }
}

// What it waits for, as `after` of each branch, and in the saga itself.
void Clients::make_after(SagaSpec& spec, std::size_t count, test::Random& random) {
  spec.shape = static_cast<core::Shape>(random.below(3));
  if (count < 2 && spec.shape == core::Shape::graph) spec.shape = core::Shape::sequential;
  spec.branches.resize(count);
  if (spec.shape == core::Shape::concurrent) spec.saga.concurrent();
  if (spec.shape == core::Shape::sequential) {
    for (std::uint32_t i = 1; i < count; ++i) spec.branches[i].after = {i - 1};
  }
  if (spec.shape != core::Shape::graph) return;
  bool any = false;
  for (std::uint32_t i = 0; i < count; ++i) {
    std::vector<std::uint32_t> after;  // numbers as the public interface counts
    for (std::uint32_t j = 0; j < i; ++j) {
      if (!random.percent(40) && !(i + 1 == count && !any && j == 0)) continue;
      spec.branches[i].after.push_back(j);
      after.push_back(j + 1);
    }
    any = any || !after.empty();
    if (!after.empty()) spec.saga.order(i + 1, after);
  }
}

SagaSpec Clients::make_spec(std::uint64_t number, test::Random& random) {
  SagaSpec spec;
  spec.saga = Saga(fmt::format("g-{:04}", number));
  auto& saga = spec.saga;
  const auto count = static_cast<std::size_t>(random.between(1, plan_.branches_max));
  for (std::size_t i = 0; i < count; ++i) {
    const auto target = random.below(plan_.targets);
    const auto back = random.below(plan_.targets);
    StepOptions options;
    if (random.percent(plan_.own_retry_percent)) options.retry = make_retry(random, plan_.chaos_ms);
    if (random.percent(plan_.own_retry_percent))
      options.request_timeout = Millis(random.between(1, 200));
    if (options.retry && options.retry->limit != 0) spec.may_turn_back = true;
    saga.step(random.percent(plan_.empty_percent) ? "" : banks_.action_of(target),
              random.percent(plan_.empty_percent) ? "" : banks_.compensate_of(back),
              fmt::format("payload {} of {}", i, number), options);
  }
  make_after(spec, count, random);
  for (auto& branch : spec.branches) branch.refuses = random.percent(plan_.refusal_percent);
  if (random.percent(plan_.timeout_percent)) {
    saga.timeout_to_fail(Millis(random.one_of<int>({1, 20, 2'000, 60'000})));
    spec.may_turn_back = true;
  }
  if (random.percent(plan_.delay_percent)) saga.delay(Millis(random.one_of<int>({1, 100, 30'000})));
  if (random.percent(plan_.own_retry_percent)) saga.retry(make_retry(random, plan_.chaos_ms));
  if (random.percent(30)) saga.custom_data(fmt::format("of {}", number));
  const auto retry = saga.settings().retry.value_or(plan_.options.retry);
  if (retry.limit != 0) spec.may_turn_back = true;
  auto bytes = test::encode(saga, saga.gid(), plan_.options.limits);
  if (!bytes) {
    world_.fail("a saga was refused: " + bytes.error().detail);
  } else {
    spec.bytes = *bytes;
  }
  return spec;
}

void Clients::submit_new() {
  auto spec = make_spec(sagas_.size() + 1, random_);
  if (world_.failed()) return;
  sagas_.push_back(std::make_unique<Known>());
  sagas_.back()->gid = spec.saga.gid();
  ledger_.add(std::move(spec));
  submit(*sagas_.back(), Kind::submit, random_.percent(plan_.wait_percent));
}

void Clients::submit_again() {
  if (sagas_.empty()) return;
  auto& known = *random_.one_of(sagas_);
  // Another definition, only where the first one is known to stand.
  const bool other = known.accepted && !plan_.forgets() && random_.percent(30);
  // One that was forgotten would run again, rightly.
  if (!other && plan_.forgets() && known.last) return;
  if (!other && plan_.forgets()) return;
  submit(known, other ? Kind::other : Kind::submit, random_.percent(plan_.wait_percent));
}

void Clients::submit(Known& known, Kind kind, bool wants_final) {
  if (engine_ == nullptr) return;
  auto request =
      std::make_shared<Request>(Request{kind, &known, world_.life(), wants_final, known.accepted});
  auto bytes = ledger_.spec(known.gid).bytes;
  if (kind == Kind::other) {
    auto other = ledger_.spec(known.gid).saga;
    other.step("", "", "one step more");
    bytes = *test::encode(other, known.gid, plan_.options.limits);
  } else {
    ledger_.may_exist(known.gid, 1);
    known.settled = known.last && is_final(*known.last);
  }
  world_.note("submit {}{}{}", known.gid, kind == Kind::other ? ", another definition" : "",
              wants_final ? ", waits" : "");
  sent(request, engine_->ask(engine::SubmitRequest{
                    *parse(bytes), core::Entry::submit, false, wants_final,
                    [this, request](const Result<Report>& result) { heard(*request, result); }}));
}

void Clients::look(Known& known, Kind kind, Millis timeout) {
  if (engine_ == nullptr) return;
  auto request = std::make_shared<Request>(
      Request{kind, &known, world_.life(), kind == Kind::wait, known.accepted});
  const auto done = [this, request](const Result<Report>& result) { heard(*request, result); };
  sent(request, kind == Kind::wait
                    ? engine_->ask(engine::FindRequest::wait(known.gid, timeout, done))
                    : engine_->ask(engine::FindRequest::find(known.gid, done)));
}

void Clients::sent(const std::shared_ptr<Request>& request, const Result<>& result) {
  request->inside = false;
  if (result) {
    ++request->known->pending;
    return;
  }
  if (request->heard) world_.fail(request->known->gid + ": an error was returned and told");
  request->heard = true;
  on_error(*request, result.error());
}

void Clients::operator_word(bool stops) {
  if (sagas_.empty() || engine_ == nullptr) return;
  auto& known = *random_.one_of(sagas_);
  auto request = std::make_shared<Request>(
      Request{stops ? Kind::stop : Kind::hasten, &known, world_.life(), stops, known.accepted});
  if (stops) ledger_.may_be_stopped(known.gid);
  world_.note("operator: {} {}", stops ? "stop" : "hasten", known.gid);
  using Word = engine::WordRequest::Word;
  sent(request, engine_->ask(engine::WordRequest{
                    known.gid, stops ? Word::stop : Word::hasten, "its operator says so",
                    [this, request](const Result<Report>& result) { heard(*request, result); }}));
}

void Clients::ask() {
  if (!sagas_.empty()) look(*random_.one_of(sagas_), Kind::find, Millis(0));
}

void Clients::wait() {
  if (!sagas_.empty()) look(*random_.one_of(sagas_), Kind::wait, Millis(random_.between(1, 5'000)));
}

void Clients::heard(Request& request, const Result<Report>& result) {
  if (!world_.alive() || request.life != world_.life()) return;  // the dying engine talks to nobody
  if (watch_()) return;
  auto& known = *request.known;
  if (request.inside) world_.fail(known.gid + ": told within the very call");
  if (request.heard) world_.fail(known.gid + ": a caller was told twice");
  request.heard = true;
  --known.pending;
  world_.note("told {}: {}", known.gid,
              result ? std::string(name_of(result->status())) : result.error().detail);
  world_.mix(result ? static_cast<std::uint64_t>(result->status())
                    : 100 + static_cast<std::uint64_t>(result.error().code));
  if (result) {
    on_report(request, *result);
  } else {
    on_error(request, result.error());
  }
}

void Clients::on_report(Request& request, const Report& report) {
  auto& known = *request.known;
  if (request.kind == Kind::other)
    return world_.fail(known.gid + ": another definition was accepted");
  if (report.gid() != known.gid) world_.fail(known.gid + ": was told of " + report.gid());
  if (request.wants_final && !report.finished())
    world_.fail(known.gid + ": waited for its end and was told before");
  if (!ledger_.may_exist(known.gid))
    world_.fail(known.gid + ": exists, though every submit was refused");
  if (known.created_at && *known.created_at != report.created_at())
    world_.fail(known.gid + ": was created twice");
  if (request.kind == Kind::stop && report.status() != Status::failed)
    world_.fail(known.gid + ": was stopped and did not fail");
  if (report.status() == Status::failed && report.reason().empty())
    world_.fail(known.gid + ": failed for no reason");
  const bool is_back = request.order != nullptr && request.order->verb == Verb::back;
  if (is_back && report.status() != Status::aborting && report.status() != Status::failed)
    world_.fail(known.gid + ": was turned back and is not");
  if (request.order != nullptr) told_order(known, *request.order, {});
  known.created_at = report.created_at();
  accepted_ += known.accepted ? 0 : 1;
  known.accepted = true;
  check_progress(known, report.status());
}

void Clients::check_progress(Known& known, Status status) {
  if (known.last && is_final(*known.last) && *known.last != status) {
    world_.fail(
        fmt::format("{}: was {} and is {}", known.gid, name_of(*known.last), name_of(status)));
  }
  if (known.last == Status::aborting && status != Status::aborting && status != Status::failed) {
    world_.fail(fmt::format("{}: was aborting and is {}", known.gid, name_of(status)));
  }
  if (is_final(status)) {
    ledger_.check_final(known.gid, status);
    if (!known.last || !is_final(*known.last)) ++(status == Status::succeed ? succeeded_ : failed_);
    known.settled = true;
  }
  known.last = status;
}

bool Clients::may_be_refused_with(const Request& request, ErrorCode code) const {
  const auto& limits = plan_.options.limits;
  switch (code) {
    case ErrorCode::busy: return limits.queued_submits_max < 100 || request.kind == Kind::order;
    case ErrorCode::live_limit:
      return limits.live_transactions_max < 100 && request.kind == Kind::submit;
    case ErrorCode::live_bytes_limit: return plan_.memory_runs_out();
    case ErrorCode::queued_bytes_limit: return plan_.queue_runs_out();
    case ErrorCode::conflict: return request.kind == Kind::other;
    case ErrorCode::storage:
    case ErrorCode::commit_unknown: return !plan_.disk.empty() || !plan_.crashes.empty();
    case ErrorCode::superseded: return plan_.second_engines != 0;
    case ErrorCode::closed:
      return !plan_.restarts.empty() || request.wants_final || request.kind != Kind::submit;
    case ErrorCode::timed_out: return request.kind == Kind::wait;
    case ErrorCode::not_found: return request.kind != Kind::submit && request.kind != Kind::other;
    case ErrorCode::forbidden:
      return request.kind == Kind::stop || request.kind == Kind::hasten ||
             request.kind == Kind::order;
    default: return false;
  }
}

void Clients::on_error(const Request& request, const Error& error) {
  auto& known = *request.known;
  if (!may_be_refused_with(request, error.code)) {
    world_.fail(fmt::format("{}: error {} ({})", known.gid, name_of(error.code), error.detail));
  }
  if (error.code == ErrorCode::not_found) {
    if (request.was_accepted && !plan_.forgets())
      world_.fail(known.gid + ": was accepted and is not known any more");
    // Nothing of it is under way: then it never will be, or it was and is forgotten.
    if (known.pending == 0 && known.posted == 0 && request.life == world_.life()) {
      if (known.accepted || ledger_.was_called(known.gid)) {
        if (!plan_.forgets()) world_.fail(known.gid + ": ran, and is not known");
        ledger_.check_forgotten(known.gid);
      }
      known.settled = true;
    }
  }
  if (request.order != nullptr) told_order(known, *request.order, error);
  if (request.kind != Kind::submit) return;
  const bool left_nothing =
      error.code == ErrorCode::busy || error.code == ErrorCode::live_limit ||
      error.code == ErrorCode::live_bytes_limit || error.code == ErrorCode::queued_bytes_limit ||
      error.code == ErrorCode::storage || (error.code == ErrorCode::closed && !request.wants_final);
  if (left_nothing) ledger_.may_exist(known.gid, -1);
}

bool Clients::ask_for_ends() {
  std::size_t open = 0;
  for (std::size_t i = 0; i < sagas_.size(); ++i) {
    auto& known = *sagas_[(next_to_ask_ + i) % sagas_.size()];
    if (known.settled) continue;
    if (++open <= kSagasAskedAtOnce && known.pending == 0) look(known, Kind::find, Millis(0));
  }
  if (!sagas_.empty()) ++next_to_ask_;
  return open == 0;
}

std::string Clients::unsettled() const {
  std::string gids;
  for (const auto& known : sagas_) {
    if (known->settled) continue;
    gids += fmt::format(" {} ({}, {} pending)", known->gid,
                        known->last ? name_of(*known->last) : "never told of", known->pending);
  }
  return gids;
}

std::map<std::string, Status> Clients::ends() const {
  std::map<std::string, Status> ends;
  for (const auto& known : sagas_) {
    if (known->last && is_final(*known->last)) ends[known->gid] = *known->last;
  }
  return ends;
}

}  // namespace belay::sim
