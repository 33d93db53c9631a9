// A crowd of unfinished transactions, all at rest: nothing is due, called or written any more, so
// that memory can be measured and a reopen be timed. Every branch but the last is done; the last
// one is what `Settings::unfinished` says.
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

  // For an engine that is to hold so many.
  Options options(std::uint64_t count) const;
  // The handlers that leave the last branch open.
  Result<> register_unfinished(Engine& engine);
  // The handlers that finish it, for a crowd that was parked.
  Result<> register_finishing(Engine& engine);
  // Submits until `count` are unfinished and waits until all are at rest.
  Result<> grow(Engine& engine, std::uint64_t count);

  // What is wrong with the calls so far, if this crowd has been grown and no more; else empty.
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
  std::uint64_t wanted_ = 0, submitted_ = 0;  // the loop's, after the first submit
  Samples samples_;                           // the loop's
  std::string first_error_;                   // of the first refused one
};

}  // namespace belay::bench
