#include "api/targets.h"

#include <fmt/format.h>

#include <string>

#include "base/branch_id.h"
#include "core/draft.h"
#include "core/ops.h"
#include "hook/grpc_request.h"
#include "hook/http_request.h"
#include "hook/url.h"

namespace belay::api {
namespace {

constexpr std::string_view kSchemeEnd = "://";

bool has_scheme(std::string_view target) {
  return target.find(kSchemeEnd) != std::string_view::npos;
}

// `where` makes the text that names the place in an error; it is rarely needed. `payload`: of each
// call; null: not known.
template <class Where>
Result<> check_one(const hook::Hooks& hooks, std::string_view target,
                   const std::string_view* payload, Where where) {
  if (!has_scheme(target) || target.starts_with(kTopicPrefix)) return {};
  if (!hook::is_url(target)) {
    return Error{
        ErrorCode::invalid_argument,
        fmt::format("{}: '{}' is neither a name nor a URL that can be called (http, https, "
                    "jsonrpc+http, jsonrpc+https, grpc, grpcs) nor a topic",
                    where(), target)};
  }
  auto allowed = hooks.check(target);
  if (allowed && payload != nullptr) allowed = hook::check_payload(target, *payload);
  if (allowed) return {};
  return Error{allowed.error().code, fmt::format("{}: {}", where(), allowed.error().detail)};
}

struct OpNames {
  std::string_view first;
  std::string_view commit;
  std::string_view rollback;
};

OpNames names_of(Mode mode) {
  if (mode == Mode::workflow) return {"", "", ""};  // a workflow has only its callback
  const auto& ops = core::ops_of(mode);
  return {name_of(ops.first), name_of(ops.commit), name_of(ops.rollback)};
}

// By which protocols a branch is called: its headers must be fit for each.
struct Protocols {
  bool http = false;
  bool grpc = false;

  void add(std::string_view target) {
    const auto protocol = hook::protocol_of(target);
    grpc = grpc || protocol == hook::Protocol::grpc;
    http = http || (protocol && protocol != hook::Protocol::grpc);
  }
  void add(const core::DraftStep& step) {
    for (const auto target : {step.first, step.commit, step.rollback}) add(target);
  }
};

Result<> check_headers(Protocols protocols, std::span<const Header> headers,
                       std::string_view whose) {
  auto checked = protocols.http ? hook::check_headers(headers) : Result<>();
  if (checked && protocols.grpc) checked = hook::check_metadata(headers);
  if (checked) return {};
  return Error{checked.error().code, fmt::format("{}: {}", whose, checked.error().detail)};
}

Result<> check_step(const hook::Hooks& hooks, const core::DraftStep& step, const OpNames& names,
                    std::string_view branch) {
  const auto field = [&](std::string_view name) {
    return [&branch, name] { return fmt::format("the {} of branch {}", name, branch); };
  };
  BELAY_TRY(
      check_one(hooks, step.first, &step.payload, field(step.is_query ? "callback" : names.first)));
  BELAY_TRY(check_one(hooks, step.commit, &step.payload, field(names.commit)));
  BELAY_TRY(check_one(hooks, step.rollback, &step.payload, field(names.rollback)));
  if (step.options == nullptr || step.options->headers.empty()) return {};
  Protocols protocols;
  protocols.add(step);
  return check_headers(protocols, step.options->headers, fmt::format("branch {}", branch));
}

}  // namespace

Result<> check_targets(const hook::Hooks& hooks, const core::Draft& draft) {
  const auto names = names_of(draft.mode);
  Protocols protocols;
  for (std::uint32_t i = 0; i < draft.steps.size(); ++i) {
    const auto& step = draft.steps[i];
    const auto id = step.is_query ? base::BranchId::query() : base::BranchId(i);
    BELAY_TRY(check_step(hooks, step, names, id.view()));
    protocols.add(step);
  }
  if (protocols.grpc) {
    BELAY_TRY(hook::check_metadata_text("gid", draft.settings->gid));
    BELAY_TRY(hook::check_metadata_text("workflow's name", draft.name));
  }
  return check_headers(protocols, draft.settings->headers, "the transaction");
}

Result<> check_targets(const hook::Hooks& hooks, const TwoPhaseBranch& branch) {
  return check_step(hooks, core::draft_of(branch), {"first", "commit", "rollback"},
                    branch.branch_id.empty() ? "(new)" : branch.branch_id);
}

Result<> check_target(const hook::Hooks& hooks, const Subscription& subscription) {
  return check_one(hooks, subscription.target, nullptr, [] { return "the subscription's target"; });
}

Result<> check_edited(const hook::Hooks& hooks, std::string_view target, std::string_view payload,
                      const std::vector<Header>& headers) {
  BELAY_TRY(check_one(hooks, target, &payload, [] { return "the edited branch"; }));
  Protocols protocols;
  protocols.add(target);
  return check_headers(protocols, headers, "the edited branch");
}

Result<> check_handler_name(std::string_view name) {
  if (!has_scheme(name)) return {};
  return Error{ErrorCode::invalid_argument,
               fmt::format("a handler's name must not look like a URL, as '{}' does", name)};
}

}  // namespace belay::api
