// The data that every handler uses. It is shared with the callbacks that the engine still holds
// when the service is gone.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "belay/engine.h"
#include "serve/protocol/admin/events.h"
#include "serve/protocol/admin/history.h"
#include "serve/protocol/admin/keys.h"
#include "serve/protocol/api_result.h"
#include "serve/protocol/deadlines.h"
#include "serve/protocol/read_pool.h"
#include "serve/protocol/service.h"
#include "serve/protocol/waits.h"

namespace belay::protocol {

struct Context {
  using Clock = std::chrono::steady_clock;

  Context(Engine& engine_, const ServiceOptions& options_) : engine(engine_), options(options_) {}

  Engine& engine;
  const ServiceOptions options;
  const Clock::time_point begun = Clock::now();
  admin::Events events;
  admin::History history;
  admin::Keys keys;
  std::unique_ptr<ReadPool> reads;
  Waits waits;
  Deadlines deadlines;  // last, because its thread uses the other members
};

using ContextPtr = std::shared_ptr<Context>;

// Starts a function that answers by callback; an immediate refusal is passed to the same callback.
template <class T, class Start>
void ask(const std::function<void(const Result<T>&)>& done, Start start) {
  if (const auto started = start(done); !started) done(started.error());
}

}  // namespace belay::protocol
