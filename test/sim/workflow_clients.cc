#include "workflow_clients.h"

#include <algorithm>
#include <utility>

#include "support/encode.h"

namespace belay::sim {
namespace {

constexpr std::string_view kName = "order";
constexpr std::string_view kInput = "what is needed to go on";

}  // namespace

WorkflowClients::WorkflowClients(World& world, const Plan& plan, std::uint64_t seed)
    : world_(world), plan_(plan), random_(seed) {}

void WorkflowClients::complain(const Owner& owner, std::string_view what) {
  world_.fail(fmt::format("{}: {}", owner.gid, what));
}

void WorkflowClients::set_engine(engine::Coordinator* engine) {
  engine_ = engine;
  for (auto& [gid, owner] : owners_) {
    owner->is_pending = false;
    if (engine != nullptr) later(*owner);
  }
}

void WorkflowClients::check_all_heard() {
  for (const auto& [gid, owner] : owners_) {
    if (owner->is_pending) complain(*owner, "its owner heard nothing before the engine closed");
  }
}

void WorkflowClients::schedule() {
  if (!random_.percent(30)) return;
  const auto count = random_.between(1, 8);
  for (std::uint64_t i = 1; i <= count; ++i)
    world_.after_us(random_.below(plan_.chaos_ms * 1000), [this, i] { begin(i); });
}

void WorkflowClients::begin(std::uint64_t number) {
  auto owner = std::make_unique<Owner>();
  owner->gid = fmt::format("w-{:04}", number);
  owner->has_callback = random_.percent(85);
  for (auto count = random_.below(6); count > 0; --count) {
    const auto branch = fmt::format("{:02}", owner->steps.size() + 1);
    owner->steps.push_back({branch, "action", "succeed", std::string(random_.below(2'000), 'd')});
  }
  owner->end.status = random_.percent(60) ? Status::succeed : Status::failed;
  owner->end.result = std::string(random_.below(1'000), 'r');
  Workflow workflow(owner->gid);
  workflow.callback(owner->has_callback ? "bank-0" : "", kName, kInput);
  workflow.retry(make_retry(random_, plan_.chaos_ms));
  auto bytes = test::encode(workflow, owner->gid, plan_.options.limits, core::Entry::prepare);
  if (!bytes) return world_.fail("a workflow was refused: " + bytes.error().detail);
  owner->bytes = *bytes;
  const auto at = owners_.emplace(owner->gid, std::move(owner)).first;
  go_on(*at->second);
}

// Once at a time, or each call back would add another asker. Who was refused waits longer each
// time: with small limits and a slow disk those who ask for a new transaction would else fill the
// queue, and those who have one would never get their steps in.
void WorkflowClients::later(Owner& owner) {
  if (std::exchange(owner.is_due, true)) return;
  const auto pause_us = (plan_.others.pause_us + 100'000) << std::min(owner.refusals, 8U);
  world_.after_us(random_.below(pause_us), [this, &owner] {
    owner.is_due = false;
    go_on(owner);
  });
}

// The next thing its owner does, if it is still there.
void WorkflowClients::go_on(Owner& owner) {
  if (world_.failed() || owner.settled || owner.is_pending || engine_ == nullptr) return;
  // Not while it repeats what was refused, or it would vanish before it got anywhere.
  const bool may_vanish = owner.accepted && owner.has_callback && owner.refusals == 0;
  if (may_vanish && random_.percent(25)) owner.is_running = false;
  if (!owner.is_running) return world_.note("{} vanishes", owner.gid);
  if (!owner.accepted) return ask(owner);
  owner.acked < owner.steps.size() ? record(owner) : finish(owner);
}

void WorkflowClients::ask(Owner& owner) {
  const auto life = world_.life();
  world_.note("prepare {}", owner.gid);
  sent(owner, engine_->ask(engine::SubmitRequest{
                  *core::Definition::parse(owner.bytes), core::Entry::prepare, false, false,
                  [this, &owner, life](const Result<Report>& result) {
                    if (!reaches(owner, life)) return;
                    if (result && !result->finished()) owner.accepted = true;
                    heard(owner, result);
                  }}));
}

void WorkflowClients::record(Owner& owner) {
  const auto life = world_.life();
  auto step = core::encode_progress(owner.steps[owner.acked], plan_.options.limits);
  if (!step) return world_.fail("a step was refused: " + step.error().detail);
  owner.sent = std::max(owner.sent, owner.acked + 1);
  world_.note("step {} of {}", owner.acked + 1, owner.gid);
  sent(owner, engine_->ask(engine::ProgressRequest{owner.gid, *step,
                                                   [this, &owner, life](const Result<>& result) {
                                                     if (reaches(owner, life))
                                                       heard_step(owner, result);
                                                   }}));
}

void WorkflowClients::finish(Owner& owner) {
  const auto life = world_.life();
  owner.end_sent = true;
  world_.note("end {}", owner.gid);
  sent(owner, engine_->ask(engine::EndRequest{owner.gid, owner.end,
                                              [this, &owner, life](const Result<Report>& result) {
                                                if (reaches(owner, life)) heard(owner, result);
                                              }}));
}

void WorkflowClients::sent(Owner& owner, const Result<>& result) {
  if (result) {
    owner.is_pending = true;
  } else {
    on_error(owner, result.error());
  }
}

bool WorkflowClients::reaches(Owner& owner, std::uint64_t life) {
  if (!world_.alive() || life != world_.life() || watch_()) return false;
  if (!owner.is_pending) complain(owner, "its owner was told twice");
  owner.is_pending = false;
  return true;
}

void WorkflowClients::heard(Owner& owner, const Result<Report>& result) {
  world_.note("told {}: {}", owner.gid,
              result ? std::string(name_of(result->status())) : result.error().detail);
  if (!result) return on_error(owner, result.error());
  world_.mix(static_cast<std::uint64_t>(result->status()));
  if (result->gid() != owner.gid || result->mode() != Mode::workflow)
    complain(owner, "its owner was told of another");
  if (!result->finished()) {
    if (result->status() != Status::prepared) complain(owner, "is neither open nor ended");
    owner.refusals = 0;
    return later(owner);
  }
  if (!owner.end_sent || result->status() != owner.end.status)
    complain(owner, "ended otherwise than its owner said");
  owner.settled = true;
}

void WorkflowClients::heard_step(Owner& owner, const Result<>& result) {
  world_.note("told of a step of {}: {}", owner.gid, result ? "done" : result.error().detail);
  const bool known = !result && result.error().code == ErrorCode::conflict;
  if (!result && !known) return on_error(owner, result.error());
  ++owner.acked;
  owner.refusals = 0;
  later(owner);
}

void WorkflowClients::on_error(Owner& owner, const Error& error) {
  world_.mix(100 + static_cast<std::uint64_t>(error.code));
  switch (error.code) {
    case ErrorCode::busy:
    case ErrorCode::live_limit:
    case ErrorCode::live_bytes_limit:
    case ErrorCode::queued_bytes_limit:
    case ErrorCode::storage:
    case ErrorCode::superseded:
    case ErrorCode::closed:
    case ErrorCode::commit_unknown: ++owner.refusals; return later(owner);
    case ErrorCode::not_found:
      if (plan_.forgets() && owner.end_sent) {
        owner.settled = true;
        return;
      }
      break;
    default: break;
  }
  complain(owner, "refused: " + error.detail);
}

bool WorkflowClients::ask_for_ends() {
  bool all = true;
  for (auto& [gid, owner] : owners_) {
    if (owner->settled) continue;
    all = false;
    // It may have ended while its owner was away, who is not called then; else he has to be.
    if (owner->end_sent) owner->is_running = true;
    if (owner->is_running) go_on(*owner);
  }
  return all;
}

std::string WorkflowClients::unsettled() const {
  std::string gids;
  for (const auto& [gid, owner] : owners_) {
    if (!owner->settled)
      gids +=
          fmt::format(" {} ({} steps of {}, {}, {} calls)", gid, owner->acked, owner->steps.size(),
                      owner->is_running ? "running" : "vanished", owner->calls);
  }
  return gids;
}

std::map<std::string, Status> WorkflowClients::ends() const {
  std::map<std::string, Status> ends;
  for (const auto& [gid, owner] : owners_)
    if (owner->settled) ends[gid] = owner->end.status;
  return ends;
}

// What was acknowledged is there; what is there was asked for.
void WorkflowClients::recovered(const core::Transaction& transaction) {
  if (transaction.mode() != Mode::workflow) return;
  const auto found = owners_.find(transaction.gid());
  if (found == owners_.end()) return world_.fail("a workflow nobody asked for");
  const auto& owner = *found->second;
  const auto count = transaction.remembered ? transaction.remembered->count : 0;
  if (count < owner.acked) complain(owner, "a step that was acknowledged is lost");
  if (count > owner.sent) complain(owner, "remembers what nobody recorded");
  auto steps = transaction.remembered ? std::string_view(transaction.remembered->steps) : "";
  for (std::size_t i = 0; i < count; ++i) {
    const auto step = core::take_step(steps);
    const auto& asked = owner.steps[i];
    if (!step || step->branch_id != asked.branch_id || step->data != asked.data)
      return complain(owner, "remembers another step than was recorded");
  }
  if (owner.settled && !transaction.finished()) complain(owner, "its end was told and is lost");
  if (!transaction.finished()) return;
  const auto result =
      transaction.remembered ? std::string_view(transaction.remembered->result) : "";
  if (!owner.end_sent || transaction.status != owner.end.status || result != owner.end.result)
    complain(owner, "its end is not as its owner said");
}

std::uint64_t WorkflowClients::on_call(const Call& call) {
  auto& owner = *owners_.find(call.gid)->second;
  if (owner.settled) complain(owner, "is called back after its end was told");
  if (!owner.has_callback) complain(owner, "is called back and wants none");
  if (call.op != Op::query || call.branch_id != "00" || call.workflow != kName ||
      call.payload != kInput)
    complain(owner, "is called back with what is not its own");
  return ++owner.calls;
}

// It goes on from where it stood, often before it answers.
Outcome WorkflowClients::execute(const std::string& gid, std::uint32_t, Op) {
  auto& owner = *owners_.find(gid)->second;
  owner.is_running = true;
  later(owner);
  switch (random_.below(6)) {
    case 0: return Outcome::ongoing("still at it");
    case 1: return Outcome::failure("no such workflow here");
    case 2: return Outcome::unknown("lost");
    default: return Outcome::success();
  }
}

}  // namespace belay::sim
