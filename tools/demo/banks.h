// The two banks as the engine sees them: they serve its calls, and a transfer between them is
// handed in as one transaction of the run's mode.
#pragma once

#include <memory>

#include "belay/engine.h"
#include "demo/run.h"

namespace belay::demo {

class Banks {
 public:
  Banks() = default;
  Banks(const Banks&) = delete;
  Banks& operator=(const Banks&) = delete;
  // Works off what they have. Close the engine before.
  virtual ~Banks() = default;

  virtual Result<> serve(Engine& engine) = 0;
  // `done` hears the end, unless this returns an error.
  virtual Result<> hand_in(Engine& engine, const Transfer& transfer, ReportCallback done) = 0;
  // About twenty times a second.
  virtual void tick(Engine&) {}
};

// A transfer as a saga or tcc.
Result<> hand_in(Engine& engine, Mode mode, const Doors& doors, const Transfer& transfer,
                 ReportCallback done);

// Opens them, or founds them.
Result<std::unique_ptr<Banks>> open_banks(const Settings& settings);

}  // namespace belay::demo
