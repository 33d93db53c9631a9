// An engine with short waits, for branches that are URLs.
#pragma once

#include <belay/belay.h>
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>

#include "support/process.h"

namespace belay::test {

// An engine with short waits on a file of its own.
class Shop {
 public:
  explicit Shop(HookOptions hooks = {}, Millis request_timeout = Millis{3'000}) {
    Options options;
    options.hooks = std::move(hooks);
    options.request_timeout = request_timeout;
    options.retry.first_interval = Millis{20};
    options.retry.interval_max = Millis{20};
    options.retry.ongoing_interval = Millis{20};
    auto opened = Engine::open(dir_.file("state.db"), options);
    REQUIRE(opened);
    engine_ = std::make_unique<Engine>(std::move(*opened));
    REQUIRE(engine_->start());
  }
  Engine& operator*() { return *engine_; }
  Engine* operator->() { return engine_.get(); }
  void destroy() { engine_.reset(); }

 private:
  TempDir dir_;
  std::unique_ptr<Engine> engine_;
};

// "accepted", or "the error's name: its detail".
template <class R>
std::string told(const R& result) {
  if (result) return "accepted";
  return std::string(name_of(result.error().code)) + ": " + result.error().detail;
}

}  // namespace belay::test
