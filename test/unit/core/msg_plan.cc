#include "unit/core/msg_plan.h"

#include <fmt/format.h>

#include "belay/check.h"
#include "belay/msg.h"
#include "support/encode.h"
#include "unit/core/story.h"

namespace belay::test {
namespace {

std::string topic(std::uint32_t delivery) { return fmt::format("topic{}", delivery + 1); }

core::Topics topics_of(const MsgPlan& plan, bool changed) {
  core::Topics topics;
  for (std::uint32_t i = 0; i < plan.count(); ++i) {
    const auto& delivery = plan.deliveries[i];
    const auto count = changed ? delivery.after : delivery.before;
    for (std::uint32_t k = 0; k < count; ++k)
      topics[topic(i)].subscribers.emplace(
          fmt::format("{}{}.{}", changed ? "new" : "old", i + 1, k + 1), "");
  }
  return topics;
}

Msg msg_of(const MsgPlan& plan) {
  Msg msg("g");
  for (std::uint32_t i = 0; i < plan.count(); ++i) msg.to(plan.target(i), plan.payload(i));
  if (plan.has_query) msg.query("query");
  if (plan.concurrent) msg.concurrent();
  msg.delay(Millis(plan.delay)).retry(retry_of_plans(plan.retry_limit));
  if (plan.timeout != 0) msg.timeout_to_fail(Millis(plan.timeout));
  return msg;
}

}  // namespace

std::string MsgPlan::target(std::uint32_t delivery) const {
  switch (deliveries[delivery].kind) {
    case DeliveryKind::plain: return fmt::format("to{}", delivery + 1);
    case DeliveryKind::topic: return std::string(kTopicPrefix) + topic(delivery);
    case DeliveryKind::empty: break;
  }
  return {};
}

std::string MsgPlan::payload(std::uint32_t delivery) const {
  return fmt::format("payload{}", delivery + 1);
}

std::string MsgPlan::describe() const {
  auto text =
      fmt::format("{} msg{}", driven ? "driven" : "submitted", concurrent ? ", concurrent" : "");
  for (const auto& delivery : deliveries) {
    switch (delivery.kind) {
      case DeliveryKind::plain: text += ", to one"; break;
      case DeliveryKind::empty: text += ", to nobody"; break;
      case DeliveryKind::topic:
        text += fmt::format(", to topic of {} then {}", delivery.before, delivery.after);
        break;
    }
  }
  if (has_query) text += ", back-check";
  return text + fmt::format(", limit {}, timeout {}, delay {}", retry_limit, timeout, delay);
}

Scenario scenario_of(const MsgPlan& plan) {
  const auto entry = plan.driven ? core::Entry::prepare : core::Entry::submit;
  const auto definition = encode(msg_of(plan), "g", Limits{}, entry);
  BELAY_CHECK(definition.has_value());
  Scenario scenario{.name = plan.describe(), .definition = *definition, .driven = plan.driven};
  scenario.topics.push_back(topics_of(plan, false));
  if (plan.changes) scenario.topics.push_back(topics_of(plan, true));
  return scenario;
}

}  // namespace belay::test
