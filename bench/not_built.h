// A workload that this build cannot run, because a library was missing when it was built.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "workload.h"

namespace belay::bench {

class NotBuilt : public Workload {
 public:
  // `needs`: what a build must have for this workload.
  NotBuilt(std::string name, const std::string& needs)
      : name_(std::move(name)), needs_("workload " + name_ + " needs a build with " + needs) {}

  Error error() const { return {ErrorCode::unsupported, needs_}; }

  std::string name() const override { return name_; }
  Result<> bring_up(const std::string&) override { return error(); }
  Result<> register_on(Engine&) override { return {}; }
  Result<> set_up(Engine&) override { return {}; }
  Result<> begin(Engine&, bool, ReportCallback) override { return {}; }
  std::uint64_t calls() const override { return 0; }
  void verify(const Ends&, std::vector<std::string>&) const override {}

 private:
  const std::string name_;
  const std::string needs_;
};

}  // namespace belay::bench
