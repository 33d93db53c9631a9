// What the callers of everything but sagas ask for.
#include "mode_clients.h"
#include "support/encode.h"

namespace belay::sim {

TwoPhaseBranch ModeClients::make_branch(const std::string& gid, std::size_t number) {
  const auto target = [this](bool back) -> std::string {
    const auto bank = random_.below(plan_.targets);
    if (random_.percent(plan_.empty_percent)) return {};
    return back ? banks_.compensate_of(bank) : banks_.action_of(bank);
  };
  TwoPhaseBranch branch;
  branch.first = target(false);
  branch.commit = target(true);
  branch.rollback = target(true);
  branch.payload = fmt::format("part {} of {}", number, gid);
  return branch;
}

void ModeClients::common(ModeSpec& spec, std::optional<Retry>& retry,
                         std::optional<Millis>& timeout) {
  if (random_.percent(plan_.own_retry_percent)) retry = make_retry(random_, plan_.chaos_ms);
  if (random_.percent(plan_.timeout_percent))
    timeout = Millis(random_.one_of<int>({1, 20, 2'000, 60'000}));
  if (timeout) spec.timeout_ms = static_cast<std::uint64_t>(timeout->count());
  spec.may_turn_back = retry.value_or(plan_.options.retry).limit != 0 || !plan_.jumps.empty();
}

ModeSpec ModeClients::two_phase_spec(std::uint64_t number, bool driven) {
  ModeSpec spec;
  spec.mode = random_.percent(50) ? Mode::tcc : Mode::xa;
  spec.gid = fmt::format("t-{:04}", number);
  spec.driven = driven;
  spec.in_order = random_.percent(40);
  std::optional<Retry> retry;
  std::optional<Millis> timeout;
  common(spec, retry, timeout);
  const auto count = static_cast<std::size_t>(random_.between(1, plan_.branches_max));
  for (std::size_t i = 0; i < count; ++i) {
    spec.branches.push_back(make_branch(spec.gid, i));
    spec.refuses.push_back(random_.percent(plan_.refusal_percent));
  }
  spec.asked_with = !driven ? count : random_.percent(20) ? random_.below(count + 1) : 0;
  const auto encode = [&](auto description) {
    if (retry) description.retry(*retry);
    if (timeout) description.timeout_to_fail(*timeout);
    if (spec.in_order) description.in_order();
    for (std::size_t i = 0; i < spec.asked_with; ++i) description.branch(spec.branches[i]);
    return test::encode(description, spec.gid, plan_.options.limits,
                        driven ? core::Entry::prepare : core::Entry::submit);
  };
  auto bytes = spec.mode == Mode::tcc ? encode(Tcc(spec.gid)) : encode(Xa(spec.gid));
  if (!bytes) world_.fail("a description was refused: " + bytes.error().detail);
  if (bytes) spec.bytes = *bytes;
  return spec;
}

ModeSpec ModeClients::message_spec(std::uint64_t number, bool prepared) {
  ModeSpec spec;
  spec.mode = Mode::msg;
  spec.gid = fmt::format("m-{:04}", number);
  spec.driven = prepared;
  spec.in_order = random_.percent(60);
  std::optional<Retry> retry;
  std::optional<Millis> timeout;
  common(spec, retry, timeout);
  Msg msg(spec.gid);
  if (retry) msg.retry(*retry);
  if (timeout) msg.timeout_to_fail(*timeout);
  if (!spec.in_order) msg.concurrent();
  if (random_.percent(plan_.delay_percent))
    msg.delay(Millis(random_.one_of<int>({1, 100, 30'000})));
  if (prepared && random_.percent(plan_.others.query_percent)) {
    spec.query = banks_.action_of(random_.below(plan_.targets));
    msg.query(spec.query);
  }
  const auto count = random_.between(1, plan_.branches_max);
  for (std::uint64_t i = 0; i < count; ++i) {
    const bool topic = plan_.others.topics != 0 && random_.percent(50);
    auto target = topic ? std::string(kTopicPrefix) + make_topic()
                        : banks_.action_of(random_.below(plan_.targets));
    if (random_.percent(plan_.empty_percent)) target.clear();
    msg.to(target, fmt::format("part {} of {}", i, spec.gid));
  }
  spec.deliveries = msg.deliveries();
  auto bytes = test::encode(msg, spec.gid, plan_.options.limits,
                            prepared ? core::Entry::prepare : core::Entry::submit);
  if (!bytes) world_.fail("a message was refused: " + bytes.error().detail);
  if (bytes) spec.bytes = *bytes;
  return spec;
}

}  // namespace belay::sim
