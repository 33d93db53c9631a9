#include "called.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "belay/saga.h"

namespace belay::bench {
namespace {

class CalledWorkload : public Workload {
 public:
  CalledWorkload(CalledKind kind, const Settings& settings)
      : kind_(std::move(kind)), settings_(settings) {}

  std::string name() const override { return kind_.name; }
  void tune(Options& options) const override {
    options.hooks.calls_per_host_max = settings_.calls_per_host;
    options.request_timeout = kCalledTimeout;
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

  const CalledKind kind_;
  const Settings settings_;
  std::optional<Branches> branches_;
  Saga succeeding_, failing_;
};

Result<> CalledWorkload::bring_up(const std::string&) {
  auto started = Branches::start(kind_.service, settings_);
  if (!started) return started.error();
  branches_.emplace(std::move(*started));
  succeeding_ = saga_ending_with(Path::to_do);
  failing_ = saga_ending_with(Path::to_refuse);
  return {};
}

Saga CalledWorkload::saga_ending_with(Path last) const {
  const std::string payload(settings_.payload_bytes, 'x');
  const auto undo = branches_->url(Path::to_undo);
  Saga saga;
  for (std::uint32_t i = 1; i < settings_.branches; ++i) {
    saga.step(branches_->url(Path::to_do), undo, payload);
  }
  saga.step(branches_->url(last), undo, payload).wait_result();
  return saga;
}

Result<> CalledWorkload::begin(Engine& engine, bool failing, ReportCallback done) {
  return engine.submit(failing ? failing_ : succeeding_,
                       [this, done = std::move(done)](const Result<Report>& result) {
                         if (result) branches_->note_end(result->gid(), result->succeeded());
                         done(result);
                       });
}

Result<std::optional<OwnFloor>> CalledWorkload::own_floor(double seconds) {
  const auto floor = kind_.measure_floor(*branches_, settings_, seconds);
  if (!floor) return floor.error();
  return std::optional(*floor);
}

}  // namespace

std::unique_ptr<Workload> make_called(CalledKind kind, const Settings& settings) {
  return std::make_unique<CalledWorkload>(std::move(kind), settings);
}

std::uint32_t calls_at_a_time(const Settings& settings) {
  const auto asked = settings.serve      ? settings.connections
                     : settings.rate > 0 ? settings.calls_per_host
                                         : settings.in_flight;
  return std::min(asked, settings.calls_per_host);
}

}  // namespace belay::bench
