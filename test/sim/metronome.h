// How long a minute takes in an engine that was started by clocks which were wrong: a saga that is
// to wait that long before its one call. Knows what is promised of time, and nothing of the engine.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/coordinator.h"
#include "ports/caller.h"
#include "world.h"

namespace belay::sim {

// In front of the banks, and itself the bank of that saga.
class Metronome final : public ports::Caller {
 public:
  Metronome(World& world, ports::Caller& banks) : world_(world), banks_(banks) {}

  // Since the last start, whatever the clock said there; then time is right.
  static constexpr std::uint64_t kSettledMs = 25 * 3'600'000;

  // To be asked again and again from `calm_since_ms` on, with an engine that is idle: true once it
  // was measured.
  bool measured(engine::Coordinator& engine, std::uint64_t calm_since_ms);
  std::map<std::string, Status> ends() const;

  Kind kind_of(std::string_view target) override {
    return target == kTarget ? Kind::immediate : banks_.kind_of(target);
  }
  Outcome call_now(const Call& call) override;
  ports::Lane lane_of(std::string_view target) override { return banks_.lane_of(target); }
  bool has_place(ports::Lane lane) override { return banks_.has_place(lane); }
  void call_later(ports::CallId id, const Call& call) override { banks_.call_later(id, call); }
  std::vector<HostFigures> hosts() override { return banks_.hosts(); }

 private:
  static constexpr std::string_view kTarget = "metronome";

  World& world_;
  ports::Caller& banks_;
  std::optional<std::uint64_t> submitted_ms_;
  bool called_ = false;
  bool ended_ = false;
};

}  // namespace belay::sim
