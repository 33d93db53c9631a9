#include "core/draft.h"

#include "belay/msg.h"
#include "belay/workflow.h"

namespace belay::core {
namespace {

const StepOptions kNoOptions;

Draft draft(const Saga& saga) {
  Draft out{.mode = Mode::saga,
            .is_concurrent = saga.is_concurrent(),
            .settings = &saga.settings(),
            .delay = saga.delay()};
  out.shape = !saga.orders().empty() ? Shape::graph
              : saga.is_concurrent() ? Shape::concurrent
                                     : Shape::sequential;
  out.orders = &saga.orders();
  out.steps.reserve(saga.steps().size());
  for (const auto& step : saga.steps()) {
    out.steps.push_back({.first = step.action,
                         .rollback = step.compensate,
                         .payload = step.payload,
                         .options = &step.options});
  }
  return out;
}

template <class Description>
Draft draft(Mode mode, const Description& description) {
  Draft out{.mode = mode, .settings = &description.settings()};
  out.shape = description.is_in_order() ? Shape::sequential : Shape::concurrent;
  for (const auto& branch : description.branches()) out.steps.push_back(draft_of(branch));
  return out;
}

Draft draft(const Tcc& tcc) { return draft(Mode::tcc, tcc); }
Draft draft(const Xa& xa) { return draft(Mode::xa, xa); }

Draft draft(const Msg& msg) {
  Draft out{.mode = Mode::msg, .settings = &msg.settings(), .delay = msg.delay()};
  out.shape = msg.is_concurrent() ? Shape::concurrent : Shape::sequential;
  for (const auto& delivery : msg.deliveries()) {
    out.steps.push_back(
        {.first = delivery.target, .payload = delivery.payload, .options = &delivery.options});
  }
  if (!msg.query().empty()) {
    out.steps.push_back({.first = msg.query(), .options = &kNoOptions, .is_query = true});
  }
  return out;
}

Draft draft(const Workflow& workflow) {
  Draft out{.mode = Mode::workflow, .settings = &workflow.settings(), .name = workflow.name()};
  out.shape = Shape::sequential;
  out.steps.push_back({.first = workflow.target(),
                       .payload = workflow.input(),
                       .options = &kNoOptions,
                       .is_query = true});
  return out;
}

}  // namespace

Draft draft_of(Description description) {
  return std::visit([](const auto* one) { return draft(*one); }, description.any());
}

const Settings& settings_of(Description description) {
  return std::visit([](const auto* one) -> const Settings& { return one->settings(); },
                    description.any());
}

DraftStep draft_of(const TwoPhaseBranch& branch) {
  return {.first = branch.first,
          .commit = branch.commit,
          .rollback = branch.rollback,
          .payload = branch.payload,
          .options = &branch.options,
          .branch_id = branch.branch_id};
}

}  // namespace belay::core
