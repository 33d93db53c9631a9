#include "operator.h"

#include <utility>

namespace belay::sim {
namespace {

// The store looks for new rows each 40 ms.
constexpr std::uint64_t kNoticedUs = 40'000;
constexpr std::size_t kReleasedAtOnce = 5;

bool is_expected(ErrorCode code, bool releases) {
  switch (code) {
    case ErrorCode::conflict: return !releases;
    case ErrorCode::not_found: return releases;
    case ErrorCode::busy:
    case ErrorCode::queued_bytes_limit:
    case ErrorCode::closed:
    case ErrorCode::storage:
    case ErrorCode::commit_unknown:
    case ErrorCode::superseded: return true;
    default: return false;
  }
}

}  // namespace

Operator::Operator(World& world, const Plan& plan, const test::CrashVfs& disk, std::uint64_t seed,
                   std::function<void()> wrote)
    : world_(world),
      plan_(plan),
      random_(seed),
      wrote_(std::move(wrote)),
      post_box_(world, plan, disk),
      unnamed_(world, plan) {}

void Operator::know(Banks& banks, Clients& clients, ModeClients& modes) {
  banks_ = &banks;
  clients_ = &clients;
  modes_ = &modes;
}

void Operator::set_engine(engine::Coordinator* engine) {
  engine_ = engine;
  unnamed_.set_engine(engine);
  pending_ = 0;
  if (engine == nullptr) holds_.process_died();
}

void Operator::set_watch(const std::function<bool()>& watch) {
  watch_ = watch;
  unnamed_.set_watch(watch);
}

void Operator::check_all_heard() {
  unnamed_.check_all_heard();
  if (pending_ != 0) world_.fail("a hold or a release was not answered before the engine closed");
}

void Operator::recovered(const std::vector<Hold>& holds) {
  const auto wrong = holds_.check(holds);
  if (!wrong.empty()) world_.fail("in the file: " + wrong);
}

void Operator::look() {
  post_box_.look();
  wrote_();
}

void Operator::schedule() {
  for (std::uint64_t i = 0; i < plan_.orders; ++i)
    world_.after_us(random_.below(plan_.chaos_ms * 1000), [this] { act(); });
  for (std::uint64_t i = 0; i < plan_.orders / 4; ++i)
    world_.after_us(random_.below(plan_.chaos_ms * 1000), [this] { look(); });
}

std::vector<std::string> Operator::all_targets() const {
  std::vector<std::string> targets;
  for (std::uint64_t i = 0; i < plan_.targets; ++i) {
    targets.push_back(banks_->action_of(i));
    targets.push_back(banks_->compensate_of(i));
  }
  return targets;
}

std::string Operator::any_target() { return random_.one_of(all_targets()); }

void Operator::act() {
  if (world_.failed()) return;
  const bool posts = random_.percent(60);
  const auto what = random_.below(100);
  ++number_;
  if (what < 15) return change_hold(any_target(), false, posts);
  if (what < 27) {
    const auto held = holds_.held();
    const bool blindly = held.empty() || random_.percent(20);
    return change_hold(blindly ? any_target() : random_.one_of(held), true, posts);
  }
  if (what < 40) return post_saga();
  auto* box = posts ? &post_box_ : nullptr;
  const bool saga = modes_->is_empty() || (!clients_->is_empty() && random_.percent(50));
  saga ? clients_->order(random_, all_targets(), number_, box)
       : modes_->order(random_, all_targets(), number_, box);
  if (posts) look_soon();
}

void Operator::post_saga() {
  if (random_.percent(40)) {
    unnamed_.post(post_box_, banks_->action_of(random_.below(plan_.targets)));
  } else {
    clients_->post_new(random_, post_box_);
  }
  look_soon();
}

void Operator::look_soon() {
  wrote_();
  if (!world_.alive()) return;
  world_.in_life(random_.below(kNoticedUs), [this] {
    if (engine_ != nullptr) engine_->look_for_posted();
  });
}

void Operator::change_hold(std::string target, bool releases, bool posts) {
  if (!posts && engine_ == nullptr) return;
  auto& order = holds_.ask(target, releases, posts);
  world_.note("operator: {} {}{}", releases ? "release" : "hold", target, posts ? ", posted" : "");
  if (posts) {
    post_box_.post({.verb = releases ? Verb::release : Verb::hold, .target = std::move(target)},
                   [this, &order](const Posted& posted) { told(order, posted); });
    return look_soon();
  }
  ++pending_;
  const auto life = world_.life();
  const auto asked = engine_->ask(
      engine::HoldRequest{{{std::move(target), "its operator says so", "sim"}, releases},
                          [this, life, &order](const Result<>& result) {
                            if (!world_.alive() || life != world_.life() || watch_()) return;
                            --pending_;
                            told(order, result);
                          }});
  if (asked) return;
  --pending_;
  told(order, asked.error());
}

void Operator::told(HoldOrder& order, const Result<>& result) {
  world_.note("told {} of {}: {}", order.releases ? "release" : "hold", order.target,
              result ? "done" : result.error().detail);
  world_.mix(result ? 1 : 100 + static_cast<std::uint64_t>(result.error().code));
  if (!result && !is_expected(result.error().code, order.releases))
    world_.fail(order.target + ": a hold is refused: " + result.error().detail);
  if (result) return holds_.accepted(order);
  const auto wrong = holds_.refused(order, result.error().code, order.posted || calm_);
  if (!wrong.empty()) world_.fail(wrong);
}

void Operator::told(HoldOrder& order, const Posted& posted) {
  if (posted.taken()) return told(order, Result<>());
  if (posted.unposted) return static_cast<void>(holds_.refused(order, ErrorCode::storage, false));
  if (posted.forgotten) return holds_.is_over(order);
  // Only what waiting cannot change is an answer.
  const auto code = *posted.refused;
  if (code != ErrorCode::conflict && code != ErrorCode::not_found)
    world_.fail(fmt::format("{}: the answer in a row is {}", order.target, name_of(code)));
  told(order, Error{code, "by its row"});
}

bool Operator::settle() {
  if (!post_box_.all_answered()) look();
  const auto held = holds_.held();
  const bool may_ask = pending_ == 0;
  for (std::size_t i = 0; may_ask && i < held.size() && i < kReleasedAtOnce; ++i)
    change_hold(held[i], true, false);
  const bool all_ended = unnamed_.ask_for_ends();
  return all_ended && held.empty() && pending_ == 0 && post_box_.all_answered();
}

std::string Operator::unsettled() const {
  std::string text = post_box_.unsettled() + unnamed_.unsettled();
  for (const auto& target : holds_.held()) text += " " + target + " (held)";
  return text;
}

}  // namespace belay::sim
