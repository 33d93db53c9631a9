// Checks what branches are called by before anything is kept: a URL must be one that can be called
// and may be.
#pragma once

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

// A function's name must not look like a URL, or nobody could call it.
Result<> check_handler_name(std::string_view name);

}  // namespace belay::api
