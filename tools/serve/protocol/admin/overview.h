// The state of the whole engine at one moment.
#pragma once

#include <chrono>
#include <optional>

#include "belay/engine.h"
#include "serve/protocol/admin/answer.h"
#include "serve/protocol/context.h"

namespace belay::protocol::admin {

// What changes from one moment to the next.
struct Moment {
  Counters counters{};
  std::optional<TimePoint> oldest_unfinished{};
};
// Errors: the reader's.
Result<Moment> moment_of(const Context& context, Reader& reader);
// `is_admin`: whether the answer is for somebody who may see payloads.
Json overview_json(const Context& context, const Moment& moment, bool is_admin);

}  // namespace belay::protocol::admin
