// The parts of a load that depend on its kind: how one transaction begins, and how often its
// participants must have been called when all are final. The load loop, the window and the
// verification of the file are the same for every kind; so is the floor, unless a kind has its own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "belay/engine.h"
#include "settings.h"

namespace belay::bench {

// How many transactions ended with each result.
struct Ends {
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
};

// The floor of a workload that is not bare SQLite.
struct OwnFloor {
  double tps = 0;
  std::string what;  // the text for the table
};

class Workload {
 public:
  Workload() = default;
  Workload(const Workload&) = delete;
  Workload& operator=(const Workload&) = delete;
  virtual ~Workload() = default;

  // The name on the command line and in the results.
  virtual std::string name() const = 0;
  // Sets the engine's options that the workload needs.
  virtual void tune(Options&) const {}
  // Called first: starts what the workload needs besides the engine, with its files in `directory`.
  virtual Result<> bring_up(const std::string& directory);
  // Called before the engine starts, and after.
  virtual Result<> register_on(Engine& engine) = 0;
  virtual Result<> set_up(Engine& engine) = 0;
  // Begins one transaction that must succeed or, with `failing`, fail. `done` runs once, on the
  // loop, when it is final and durable; if an error is returned it never runs.
  virtual Result<> begin(Engine& engine, bool failing, ReportCallback done) = 0;

  // Called when nothing is in flight any more, before the two following functions.
  virtual Result<> count() { return {}; }
  // The calls of all participants so far.
  virtual std::uint64_t calls() const = 0;
  // Checks that every participant was called exactly as often as these results need; differences
  // are added to `problems`.
  virtual void verify(const Ends& ends, std::vector<std::string>& problems) const = 0;
  // Measures the workload's own floor for `seconds`, after everything else. Nothing: it has the
  // engine's floor.
  virtual Result<std::optional<OwnFloor>> own_floor(double seconds);
  // Ends what `bring_up` started, when the engine is closed but still exists. Also called if the
  // run failed.
  virtual void take_down() {}
};

inline Result<> Workload::bring_up(const std::string&) { return {}; }
inline Result<std::optional<OwnFloor>> Workload::own_floor(double) {
  return std::optional<OwnFloor>();
}

std::unique_ptr<Workload> make_saga(const Settings& settings);
std::unique_ptr<Workload> make_tcc(const Settings& settings);
std::unique_ptr<Workload> make_msg(const Settings& settings);
// Their `bring_up` returns `unsupported` if the build or the machine lacks what they need.
std::unique_ptr<Workload> make_http(const Settings& settings);
std::unique_ptr<Workload> make_grpc(const Settings& settings);
std::unique_ptr<Workload> make_xa(const Settings& settings);

}  // namespace belay::bench
