// What a load is made of: how one transaction begins, and how often its participants must have been
// asked when all are final. The load loop, the window, the floor and the file's verification are
// the same for every kind.
#pragma once

#include <cstdint>
#include <memory>
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

class Workload {
 public:
  Workload() = default;
  Workload(const Workload&) = delete;
  Workload& operator=(const Workload&) = delete;
  virtual ~Workload() = default;

  // As the command line and the figures name it.
  virtual std::string name() const = 0;
  // Before the engine starts, and after.
  virtual Result<> register_on(Engine& engine) = 0;
  virtual Result<> set_up(Engine& engine) = 0;
  // Begins one that is to end so. `done` runs once, on the loop, when it is final and durable; with
  // an error returned it never runs.
  virtual Result<> begin(Engine& engine, bool failing, ReportCallback done) = 0;

  // All participants' calls so far. Once nothing is in flight any more.
  virtual std::uint64_t calls() const = 0;
  // Every participant asked exactly as often as these ends need; what is not so goes to `problems`.
  virtual void verify(const Ends& ends, std::vector<std::string>& problems) const = 0;
};

std::unique_ptr<Workload> make_saga(const Settings& settings);
std::unique_ptr<Workload> make_tcc(const Settings& settings);
std::unique_ptr<Workload> make_msg(const Settings& settings);

}  // namespace belay::bench
