// Workload `http`: sagas whose branches are URLs of a service in another process. Its floor is the
// same calls, made by a bare libcurl loop.
#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "belay/saga.h"
#include "http_branches.h"
#include "http_floor.h"
#include "workload.h"

namespace belay::bench {
namespace {

class HttpWorkload : public Workload {
 public:
  explicit HttpWorkload(const Settings& settings) : settings_(settings) {}

  std::string name() const override { return "http"; }
  void tune(Options& options) const override {
    options.hooks.calls_per_host_max = settings_.calls_per_host;
    options.request_timeout = kHttpTimeout;
  }
  Result<> bring_up(const std::string&) override;
  Result<> register_on(Engine&) override { return {}; }
  Result<> set_up(Engine&) override { return {}; }
  Result<> begin(Engine& engine, bool failing, ReportCallback done) override;

  Result<> count() override { return branches_->count(); }
  std::uint64_t calls() const override { return branches_->calls(); }
  void verify(const Ends&, std::vector<std::string>& problems) const override {
    branches_->verify(problems);
  }
  Result<std::optional<OwnFloor>> own_floor(double seconds) override;
  void take_down() override { branches_.reset(); }

 private:
  Saga saga_ending_with(Path last) const;

  const Settings settings_;
  std::optional<HttpBranches> branches_;
  Saga succeeding_, failing_;
};

Result<> HttpWorkload::bring_up(const std::string&) {
  auto started = HttpBranches::start(settings_);
  if (!started) return started.error();
  branches_.emplace(std::move(*started));
  succeeding_ = saga_ending_with(Path::to_do);
  failing_ = saga_ending_with(Path::to_refuse);
  return {};
}

Saga HttpWorkload::saga_ending_with(Path last) const {
  const std::string payload(settings_.payload_bytes, 'x');
  const auto undo = branches_->url(Path::to_undo);
  Saga saga;
  for (std::uint32_t i = 1; i < settings_.branches; ++i) {
    saga.step(branches_->url(Path::to_do), undo, payload);
  }
  saga.step(branches_->url(last), undo, payload).wait_result();
  return saga;
}

Result<> HttpWorkload::begin(Engine& engine, bool failing, ReportCallback done) {
  return engine.submit(failing ? failing_ : succeeding_,
                       [this, done = std::move(done)](const Result<Report>& result) {
                         if (result) branches_->note_end(result->gid(), result->succeeded());
                         done(result);
                       });
}

Result<std::optional<OwnFloor>> HttpWorkload::own_floor(double seconds) {
  const auto floor = measure_http_floor(*branches_, settings_, seconds);
  if (!floor) return floor.error();
  return std::optional(*floor);
}

}  // namespace

std::unique_ptr<Workload> make_http(const Settings& settings) {
  return std::make_unique<HttpWorkload>(settings);
}

}  // namespace belay::bench
