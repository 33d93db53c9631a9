// A crowd of unfinished transactions, all at rest: nothing is due, called or written any more, so
// that memory can be measured and a reopen can be timed. Every branch except the last is done; the
// state of the last branch follows Settings::unfinished.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "belay/call.h"
#include "belay/engine.h"
#include "belay/saga.h"
#include "samples.h"
#include "settings.h"

namespace belay::bench {

class Crowd {
 public:
  explicit Crowd(const Settings& settings);
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  // The options for an engine that must hold `count` transactions.
  Options options(std::uint64_t count) const;
  // Registers the handlers that leave the last branch open.
  Result<> register_unfinished(Engine& engine);
  // Registers the handlers that finish the last branch, for a parked crowd.
  Result<> register_finishing(Engine& engine);
  // Submits until `count` transactions are unfinished, and waits until all are at rest.
  Result<> grow(Engine& engine, std::uint64_t count);

  // What is wrong with the calls so far, if this crowd was grown and nothing else was done;
  // otherwise empty.
  std::string strange_calls() const;
  std::uint64_t first_calls() const noexcept { return first_calls_; }
  std::uint64_t last_calls() const noexcept { return last_calls_; }
  const std::vector<Sample>& samples() const noexcept { return samples_.all(); }

 private:
  static Outcome first(const Call& call, void* self);
  static Outcome last_ongoing(const Call& call, void* self);
  static Outcome last_done(const Call& call, void* self);
  void submit_next(Engine& engine);
  void on_refused(const Error& error);
  void on_accepted(Engine& engine, const Result<Report>& result);
  bool is_at_rest(const Counters& counters) const;

  Settings settings_;
  Saga saga_;
  std::atomic<std::uint64_t> first_calls_{0}, last_calls_{0};
  std::atomic<std::uint64_t> accepted_{0}, refused_{0};
  std::uint64_t wanted_ = 0, submitted_ = 0;  // used by the loop only, after the first submit
  Samples samples_;                           // used by the loop only
  std::string first_error_;                   // the error of the first refused submit
};

}  // namespace belay::bench
