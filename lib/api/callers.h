// Selects how a branch is called: a target that is a URL is called by lib/hook, any other target by
// the registered function with that name.
#pragma once

#include <optional>
#include <string>

#include "api/handlers.h"
#include "hook/hooks.h"
#include "ports/caller.h"

namespace belay::api {

class Callers final : public ports::Caller {
 public:
  Callers(Handlers& handlers, hook::Hooks& hooks) : handlers_(handlers), hooks_(hooks) {}

  // Without libcurl in the build, branches with a URL stay parked, as if their handler were not
  // registered.
  Kind kind_of(std::string_view target) override;
  Result<> check(std::string_view target, std::string_view payload,
                 const std::vector<Header>& headers) override;
  Outcome call_now(const Call& call) override { return handlers_.call_now(call); }
  ports::Lane lane_of(std::string_view target) override;
  bool has_place(ports::Lane lane) override;
  std::optional<std::string> why_shut(ports::Lane lane) override { return hooks_.why_shut(lane); }
  std::string host_of(std::string_view target) override;
  std::string plain_target(std::string_view target) override;
  void call_later(ports::CallId id, const Call& call) override;
  std::vector<HostFigures> hosts() override { return hooks_.figures(); }
  bool all_blocking_wait() override { return handlers_.all_blocking_wait(); }
  std::uint64_t shortages() override { return hooks_.shortages(); }

 private:
  Handlers& handlers_;
  hook::Hooks& hooks_;
};

}  // namespace belay::api
