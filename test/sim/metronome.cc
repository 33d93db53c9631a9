#include "metronome.h"

#include "belay/saga.h"
#include "core/definition.h"
#include "support/encode.h"

namespace belay::sim {
namespace {

constexpr std::uint64_t kMinuteMs = 60'000;
// The disk: a commit that is under way, and its own, at a second each; and rounding. A clock that
// is made up for by an eighth would take twice as much.
constexpr std::uint64_t kLateMs = 3'500;

}  // namespace

bool Metronome::measured(engine::Coordinator& engine, std::uint64_t calm_since_ms) {
  if (submitted_ms_ || world_.now_ms() < calm_since_ms + kSettledMs) return ended_;
  submitted_ms_ = world_.now_ms();
  const auto saga = Saga(std::string(kTarget)).step(kTarget, "").delay(Millis{kMinuteMs});
  auto bytes = test::encode(saga, kTarget, Limits{});
  auto definition = core::Definition::parse(std::move(*bytes));
  const auto handed_in = engine.ask(engine::SubmitRequest{
      std::move(*definition), core::Entry::submit, false, true, [this](const Result<Report>& end) {
        if (!end || !end->succeeded()) world_.fail("the metronome's saga did not succeed");
        ended_ = true;
      }});
  if (!handed_in) world_.fail("the metronome's saga is not taken: " + handed_in.error().detail);
  return false;
}

Outcome Metronome::call_now(const Call& call) {
  if (call.target != kTarget) return banks_.call_now(call);
  const auto waited = world_.now_ms() - submitted_ms_.value_or(0);
  if (!called_ && (waited < kMinuteMs || waited > kMinuteMs + kLateMs))
    world_.fail(fmt::format("a minute took {} ms", waited));
  called_ = true;
  return Outcome::success();
}

std::map<std::string, Status> Metronome::ends() const {
  if (!ended_) return {};
  return {{std::string(kTarget), Status::succeed}};
}

}  // namespace belay::sim
