#include "unnamed.h"

#include <algorithm>

#include "belay/saga.h"

namespace belay::sim {

void Unnamed::set_engine(engine::Coordinator* engine) {
  engine_ = engine;
  for (auto& one : all_) one->pending = false;
}

void Unnamed::check_all_heard() {
  for (const auto& one : all_)
    if (one->pending) world_.fail(one->gid + ": a caller heard nothing before the engine closed");
}

void Unnamed::post(PostBox& box, const std::string& target) {
  auto& one = *all_.emplace_back(std::make_unique<One>());
  one.payload = fmt::format("unnamed {}", all_.size());
  Saga saga("");
  saga.step(target, "", one.payload);
  box.submit(saga, "", [this, &one](const Posted& posted) { told(one, posted); });
}

void Unnamed::name(One& one, std::string_view gid) {
  if (one.gid.empty()) one.gid = gid;
  if (one.gid != gid)
    world_.fail(
        fmt::format("'{}' was asked for once, and is {} and {}", one.payload, one.gid, gid));
}

void Unnamed::told(One& one, const Posted& posted) {
  if (posted.taken()) {
    name(one, posted.gid);
    one.taken = true;
    return;
  }
  // Its one call may have told its gid, which is asked for then.
  one.settled = one.gid.empty();
  one.refused = posted.refused.has_value() || posted.unposted;
  if (one.refused && one.calls != 0) world_.fail(one.payload + ": was refused, and ran");
  if (posted.refused)
    world_.fail(one.payload + ": is refused: " + std::string(name_of(*posted.refused)));
}

std::uint64_t Unnamed::on_call(const Call& call) {
  const auto found = std::find_if(all_.begin(), all_.end(),
                                  [&](const auto& one) { return one->payload == call.payload; });
  if (found == all_.end()) {
    world_.fail(std::string(call.gid) + ": called, and nobody posted it");
    return 1;
  }
  auto& one = **found;
  name(one, call.gid);
  if (one.refused) world_.fail(one.gid + ": called, and was refused");
  if (one.end) world_.fail(one.gid + ": called after its end was told");
  return ++one.calls;
}

void Unnamed::on_answer(const std::string&, std::uint32_t, std::uint64_t, OutcomeKind) {}

Outcome Unnamed::execute(const std::string& gid, std::uint32_t, Op) {
  for (auto& one : all_) one->done = one->done || one->gid == gid;
  return Outcome::success();
}

// It fails only when a limit of calls is set, and they get no answer.
void Unnamed::heard(One& one, const Result<Report>& result) {
  one.pending = false;
  if (!result) {
    if (result.error().code != ErrorCode::not_found) return;
    if (one.taken && !plan_.forgets()) world_.fail(one.gid + ": was taken, and is not known");
    one.settled = true;
    return;
  }
  if (!result->finished()) return;
  if (!result->succeeded() && plan_.options.retry.limit == 0)
    world_.fail(one.gid + ": failed, and nothing had gone wrong");
  if (result->succeeded() && !one.done) world_.fail(one.gid + ": succeeded, and was not done");
  one.end = result->status();
  one.settled = true;
}

bool Unnamed::ask_for_ends() {
  bool all = true;
  for (auto& one : all_) {
    if (one->settled) continue;
    all = false;
    if (one->gid.empty() || one->pending || engine_ == nullptr) continue;
    const auto life = world_.life();
    one->pending = engine_
                       ->ask(engine::FindRequest::find(
                           one->gid,
                           [this, life, &one = *one](const Result<Report>& result) {
                             if (!world_.alive() || life != world_.life() || watch_()) return;
                             heard(one, result);
                           }))
                       .has_value();
  }
  return all;
}

std::string Unnamed::unsettled() const {
  std::string text;
  for (const auto& one : all_)
    if (!one->settled) text += fmt::format(" '{}' ({})", one->payload, one->gid);
  return text;
}

std::map<std::string, Status> Unnamed::ends() const {
  std::map<std::string, Status> ends;
  for (const auto& one : all_)
    if (one->end) ends[one->gid] = *one->end;
  return ends;
}

}  // namespace belay::sim
