// Checks the targets of branches before anything is stored: a URL must have a form that can be
// called, and must be allowed.
#pragma once

#include <string_view>
#include <vector>

#include "belay/msg.h"
#include "belay/result.h"
#include "belay/tcc.h"
#include "core/draft.h"
#include "hook/hooks.h"

namespace belay::api {

// Errors: invalid_argument, naming the branch and the field; forbidden_target; unsupported.
Result<> check_targets(const hook::Hooks& hooks, const core::Draft& draft);
Result<> check_targets(const hook::Hooks& hooks, const TwoPhaseBranch& branch);
Result<> check_target(const hook::Hooks& hooks, const Subscription& subscription);
// The same for what an edited branch is called with.
Result<> check_edited(const hook::Hooks& hooks, std::string_view target, std::string_view payload,
                      const std::vector<Header>& headers);

// A function's name must not look like a URL, since it could then never be called.
Result<> check_handler_name(std::string_view name);

}  // namespace belay::api
