// One transaction that its caller drives by callbacks: prepare, one branch after the other, submit
// or abort, and the wait for its end. Each step begins when the previous one is answered;
// belay::Driven does the same with a thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "belay/engine.h"

namespace belay::bench {

// What is driven; shared by all transactions of a kind, and outlives them.
struct Route {
  // Prepares one transaction without a gid: the engine makes it.
  std::function<Result<>(Engine&, ReportCallback)> prepare;
  std::vector<TwoPhaseBranch> branches;  // registered one after the other
  bool aborts = false;                   // aborts in the end, whatever the branches answer
};

class Drive : public std::enable_shared_from_this<Drive> {
 public:
  // `done` runs once, when the transaction is final; if an error is returned it never runs.
  static Result<> begin(Engine& engine, const Route& route, ReportCallback done);

 private:
  Drive(Engine& engine, const Route& route, ReportCallback done)
      : engine_(engine), route_(route), done_(std::move(done)) {}

  void on_prepared(const Result<Report>& result);
  void next_branch();
  void on_branch(const Result<Outcome>& result);
  void give_word(bool submits);
  void end(const Result<Report>& result);

  Engine& engine_;
  const Route& route_;
  ReportCallback done_;  // null: `done` has run
  std::string gid_;
  std::size_t registered_ = 0;
};

}  // namespace belay::bench
