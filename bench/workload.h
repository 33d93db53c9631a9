// What a load is made of: how one transaction begins, and how often its participants must have been
// asked when all are final. The load loop, the window and the file's verification are the same for
// every kind; so is the floor, unless a kind brings its own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "belay/engine.h"
#include "settings.h"

namespace belay::bench {

// How many ended which way.
struct Ends {
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
};

// What a workload is held against instead of bare SQLite.
struct OwnFloor {
  double tps = 0;
  std::string what;  // as the table says it
};

class Workload {
 public:
  Workload() = default;
  Workload(const Workload&) = delete;
  Workload& operator=(const Workload&) = delete;
  virtual ~Workload() = default;

  // As the command line and the figures name it.
  virtual std::string name() const = 0;
  // What it wants of the engine's options.
  virtual void tune(Options&) const {}
  // Before anything else: what it needs beside the engine, with its files in there.
  virtual Result<> bring_up(const std::string& directory);
  // Before the engine starts, and after.
  virtual Result<> register_on(Engine& engine) = 0;
  virtual Result<> set_up(Engine& engine) = 0;
  // Begins one that is to end so. `done` runs once, on the loop, when it is final and durable; with
  // an error returned it never runs.
  virtual Result<> begin(Engine& engine, bool failing, ReportCallback done) = 0;

  // Once nothing is in flight any more, before the two that follow.
  virtual Result<> count() { return {}; }
  // All participants' calls so far.
  virtual std::uint64_t calls() const = 0;
  // Every participant asked exactly as often as these ends need; what is not so goes to `problems`.
  virtual void verify(const Ends& ends, std::vector<std::string>& problems) const = 0;
  // For so many seconds, after all that. Nothing: its floor is the engine's.
  virtual Result<std::optional<OwnFloor>> own_floor(double seconds);
  // What was brought up ends, when the engine is closed and still there. Also if the run failed.
  virtual void take_down() {}
};

inline Result<> Workload::bring_up(const std::string&) { return {}; }
inline Result<std::optional<OwnFloor>> Workload::own_floor(double) {
  return std::optional<OwnFloor>();
}

std::unique_ptr<Workload> make_saga(const Settings& settings);
std::unique_ptr<Workload> make_tcc(const Settings& settings);
std::unique_ptr<Workload> make_msg(const Settings& settings);
// Their `bring_up` says `unsupported` where the build or the machine has not what it takes.
std::unique_ptr<Workload> make_http(const Settings& settings);
std::unique_ptr<Workload> make_xa(const Settings& settings);

}  // namespace belay::bench
