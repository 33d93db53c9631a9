#include "plan.h"

#include <fmt/format.h>

#include <algorithm>

namespace belay::sim {
namespace {

using test::Random;

std::uint64_t pick(Random& random, const std::vector<std::uint64_t>& values) {
  return random.one_of(values);
}

Millis pick_ms(Random& random, const std::vector<std::uint64_t>& values) {
  return Millis(static_cast<std::int64_t>(pick(random, values)));
}

void plan_sagas(Plan& plan, Random& random) {
  plan.sagas = 1 + random.below(random.percent(15) ? 60 : 12);
  plan.branches_max = pick(random, {1, 2, 3, 3, 6});
  plan.targets = random.between(1, 5);
  plan.deferred_percent = pick(random, {0, 50, 100, 100});
  plan.refusal_percent = pick(random, {0, 0, 10, 40});
  plan.empty_percent = pick(random, {0, 0, 0, 20});
  plan.timeout_percent = pick(random, {0, 0, 30, 100});
  plan.delay_percent = pick(random, {0, 0, 20});
  plan.own_retry_percent = pick(random, {0, 0, 40});
  plan.wait_percent = pick(random, {0, 30, 100});
  plan.again_percent = pick(random, {0, 0, 20, 60});
  plan.finds = pick(random, {0, 5, 30});
  plan.chaos_ms = pick(random, {5, 100, 2'000, 20'000, 300'000});
}

// Most runs have one or two kinds beside sagas, or instead of them.
void plan_others(Plan& plan, Random& random) {
  auto& others = plan.others;
  const auto some = [&random] { return random.percent(35) ? random.between(1, 12) : 0; };
  others.declared = some();
  others.driven = some();
  others.messages = some();
  others.prepared = some();
  const bool none = others.declared + others.driven + others.messages + others.prepared == 0;
  if (!none && random.percent(70)) plan.sagas = 0;
  others.topics = random.percent(60) ? random.between(1, 3) : 0;
  if (others.topics != 0) others.topic_changes = random.between(1, 30);
  others.query_percent = pick(random, {0, 50, 100, 100});
  others.vanish_percent = pick(random, {0, 0, 10, 30});
  others.eager_percent = pick(random, {0, 0, 20, 80});
  others.abort_percent = pick(random, {0, 10, 40});
  others.words_again = pick(random, {0, 0, 5, 20});
  others.pause_us = pick(random, {0, 100, 10'000, 1'000'000});
}

void plan_calls(Plan& plan, Random& random) {
  const auto chance = [&random] { return random.percent(35) ? pick(random, {3, 10, 30}) : 0; };
  auto& calls = plan.calls;
  calls.lost_request = chance();
  calls.lost_reply = chance();
  calls.late = chance();
  calls.duplicate = chance();
  calls.ongoing = chance();
  calls.unknown = chance();
  calls.compensation_failure = chance();
  plan.latency_us = pick(random, {0, 100, 3'000, 50'000, 2'000'000});
  plan.late_alarm_percent = pick(random, {0, 0, 0, 5});
}

void plan_disk(Plan& plan, Random& random) {
  plan.wal_bytes = static_cast<std::size_t>(pick(random, {1, 50'000, 500'000, 8 << 20}));
  plan.disk_us = pick(random, {0, 100, 100, 10'000, 1'000'000});
  if (!random.percent(45)) return;
  for (auto count = random.between(1, 4); count > 0; --count) {
    DiskTrouble trouble;
    trouble.at_ms = random.below(plan.chaos_ms);
    trouble.fault = static_cast<test::Fault>(random.below(test::kFaults));
    trouble.nth = random.between(1, 20);
    trouble.times = random.percent(50) ? random.between(1, 3) : 0;
    trouble.heal_after_ms = pick(random, {1, 100, 3'000, 30'000});
    plan.disk.push_back(trouble);
  }
}

void plan_crashes(Plan& plan, Random& random) {
  if (random.percent(65)) {
    for (auto count = random.between(1, 6); count > 0; --count) {
      Crash crash;
      crash.at_ms = random.below(plan.chaos_ms);
      crash.point = static_cast<CrashPoint>(random.below(kCrashPoints));
      crash.countdown = random.between(1, random.percent(50) ? 3 : 40);
      crash.power_cut = random.percent(60);
      crash.down_ms = pick(random, {0, 1, 100, 10'000});
      plan.crashes.push_back(crash);
    }
  }
  if (random.percent(20)) {
    for (auto count = random.between(1, 3); count > 0; --count)
      plan.restarts.push_back(random.below(plan.chaos_ms));
  }
}

void plan_world(Plan& plan, Random& random) {
  if (random.percent(25)) {
    for (auto count = random.between(1, 3); count > 0; --count) {
      plan.unregistered.push_back({random.below(plan.chaos_ms), pick(random, {1, 500, 1'000'000}),
                                   random.below(plan.targets)});
    }
  }
  if (random.percent(25)) {
    for (auto count = random.between(1, 4); count > 0; --count) {
      const auto size =
          static_cast<std::int64_t>(pick(random, {100, 10'000, 3'600'000, 86'400'000}));
      plan.jumps.push_back({random.below(plan.chaos_ms), random.percent(50) ? size : -size});
    }
  }
}

void plan_lanes(Plan& plan, Random& random) {
  if (random.percent(30)) plan.lane_places = random.between(1, 3);
  if (!random.percent(30)) return;
  for (auto count = random.between(1, 4); count > 0; --count) {
    plan.shut.push_back({random.below(plan.chaos_ms), pick(random, {1, 500, 1'000'000}),
                         random.below(plan.targets)});
  }
}

void plan_options(Plan& plan, Random& random) {
  auto& options = plan.options;
  options.history = static_cast<History>(random.percent(60) ? 0 : random.below(3));
  options.retention = options.retention_failed = Millis(0);
  if (random.percent(20)) options.retention = pick_ms(random, {1, 1'000, 60'000});
  if (random.percent(20)) options.retention_failed = pick_ms(random, {1, 1'000, 60'000});
  options.retry = make_retry(random, plan.chaos_ms);
  options.request_timeout = pick_ms(random, {1, 50, 3'000});
  options.stuck_after = static_cast<std::uint32_t>(random.between(1, 3));
  options.checkpoint_interval = pick_ms(random, {10, 100, 5'000, 5'000});
  options.checkpoint_log_bytes = static_cast<std::size_t>(pick(random, {1, 500, 5'000, 16 << 20}));
  auto& limits = options.limits;
  if (random.percent(40))
    limits.calls_in_flight_max = static_cast<std::size_t>(pick(random, {1, 2, 8}));
  if (random.percent(20))
    limits.queued_submits_max = static_cast<std::size_t>(pick(random, {1, 2, 5}));
  if (random.percent(20))
    limits.live_transactions_max = static_cast<std::size_t>(pick(random, {1, 2, 5}));
}

}  // namespace

Retry make_retry(Random& random, std::uint64_t chaos_ms) {
  // A run is for its variety: a thousand equal attempts add nothing.
  const auto floor = Millis(static_cast<std::int64_t>(chaos_ms / 1'000));
  Retry retry;
  retry.first_interval = std::max(floor, pick_ms(random, {1, 10, 1'000, 10'000}));
  retry.multiplier = random.one_of<double>({1.0, 2.0, 10.0});
  retry.interval_max = std::max(floor, pick_ms(random, {50, 5'000, 60'000}));
  retry.jitter = random.one_of<double>({0.0, 0.2, 1.0});
  retry.limit = static_cast<std::uint32_t>(pick(random, {0, 0, 1, 2, 5}));
  retry.ongoing_interval = std::max(floor, pick_ms(random, {1, 100, 10'000}));
  return retry;
}

Plan make_plan(Random& random) {
  Plan plan;
  plan_sagas(plan, random);
  plan_calls(plan, random);
  plan_disk(plan, random);
  plan_crashes(plan, random);
  plan_world(plan, random);
  plan_options(plan, random);
  plan_others(plan, random);
  plan_lanes(plan, random);
  return plan;
}

void plan_budgets(Plan& plan, Random random) {
  auto& limits = plan.options.limits;
  if (random.percent(15))
    limits.live_bytes_max = static_cast<std::size_t>(pick(random, {1, 2'000, 5'000}));
  // Not both: who waits for memory asks again and again, and fills a short queue for ever.
  const bool short_queue = random.percent(15) && !plan.memory_runs_out();
  if (short_queue)
    limits.queued_bytes_max = static_cast<std::size_t>(pick(random, {1, 1'000, 2'000}));
  if (random.percent(15)) limits.call_bytes_max = static_cast<std::size_t>(pick(random, {1, 50}));
  if (random.percent(50))
    plan.batch.acts_per_look = static_cast<std::size_t>(pick(random, {1, 2, 3}));
  if (!random.percent(30)) return;
  plan.batch.records = static_cast<std::size_t>(pick(random, {1, 2, 10, 1'000}));
  plan.batch.bytes = static_cast<std::size_t>(pick(random, {1, 100, 1'000, 100'000}));
  plan.batch.row_bytes = static_cast<std::size_t>(pick(random, {1, 1'000, 100'000}));
}

std::string describe(const Plan& plan) {
  std::string text = fmt::format(
      "{} sagas of up to {} branches on {} targets ({}% deferred), chaos {} ms, latency {} us, "
      "disk {} us; ",
      plan.sagas, plan.branches_max, plan.targets, plan.deferred_percent, plan.chaos_ms,
      plan.latency_us, plan.disk_us);
  const auto& others = plan.others;
  text +=
      fmt::format("{} declared, {} driven, {} messages, {} prepared, {} topics; ", others.declared,
                  others.driven, others.messages, others.prepared, others.topics);
  const auto& calls = plan.calls;
  text +=
      fmt::format("calls lost {}/{} late {} twice {} ongoing {} unknown {}; ", calls.lost_request,
                  calls.lost_reply, calls.late, calls.duplicate, calls.ongoing, calls.unknown);
  text +=
      fmt::format("{} crashes, {} restarts, {} jumps, {} unregistered, {} shut, {} places; disk:",
                  plan.crashes.size(), plan.restarts.size(), plan.jumps.size(),
                  plan.unregistered.size(), plan.shut.size(), plan.lane_places);
  if (plan.operator_words != 0) text += fmt::format(" ({} operator's words)", plan.operator_words);
  if (plan.orders != 0) text += fmt::format(" ({} orders)", plan.orders);
  if (plan.blocking_percent != 0) text += fmt::format(" ({}% blocking)", plan.blocking_percent);
  if (plan.second_engines != 0) text += fmt::format(" ({} second engines)", plan.second_engines);
  if (plan.clock_start_percent != 0) text += " (clocks wrong at starts)";
  for (const auto& trouble : plan.disk) text += fmt::format(" {}", test::name_of(trouble.fault));
  text +=
      fmt::format("; history {} limits {}/{}/{}", static_cast<unsigned>(plan.options.history),
                  plan.options.limits.calls_in_flight_max, plan.options.limits.queued_submits_max,
                  plan.options.limits.live_transactions_max);
  text += fmt::format(" bytes {}/{}/{}", plan.options.limits.live_bytes_max,
                      plan.options.limits.queued_bytes_max, plan.options.limits.call_bytes_max);
  text += fmt::format(" batch {}/{}/{} look {}", plan.batch.records, plan.batch.bytes,
                      plan.batch.row_bytes, plan.batch.acts_per_look);
  return text;
}

}  // namespace belay::sim
