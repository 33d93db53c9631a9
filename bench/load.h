// Begins the transactions of a workload and measures the time until each is final and durable.
// Closed loop: a fixed number is in flight, and the end of one submits the next. Open loop: each is
// due at its time in a fixed schedule and is submitted by a separate thread; its latency counts
// from the due time, however late it was submitted.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "belay/engine.h"
#include "failing.h"
#include "histogram.h"
#include "samples.h"
#include "settings.h"
#include "workload.h"

namespace belay::bench {

// The measurements between two moments, without the warm-up and the end of the run.
struct Window {
  std::uint64_t from_ns = 0, until_ns = 0;
  std::uint64_t transactions = 0;
  Counters at_start, at_end;
  double cpu_at_start = 0, cpu_at_end = 0;
  std::uint64_t storage_at_start = 0, storage_at_end = 0;
  Histogram latencies;
};

// A part of the window, as the loop closes it; the printer adds the sizes on disk.
struct Slice {
  std::uint64_t from_ns = 0, until_ns = 0;
  std::uint64_t log_bytes = 0;
  Histogram latencies;
};

class Load {
 public:
  Load(Engine& engine, Workload& workload, const Settings& settings);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  void begin();
  // True when everything submitted is answered, and nothing more will be submitted.
  bool finished() const noexcept { return finished_.load(std::memory_order_acquire); }
  // Waits for that; false if `span` has passed.
  bool wait_for(std::chrono::milliseconds span);
  std::uint64_t began_ns() const noexcept { return began_ns_; }
  std::uint64_t completed() const noexcept { return completed_.load(std::memory_order_relaxed); }
  // The oldest closed slice that was not taken yet; null if there is none.
  std::unique_ptr<Slice> take_slice();

  // Valid once the load is finished:
  const Window& window() const noexcept { return window_; }
  std::uint64_t submitted() const noexcept { return submitted_.load(std::memory_order_relaxed); }
  std::uint64_t succeeded() const noexcept { return succeeded_; }
  std::uint64_t failed() const noexcept { return failed_; }
  std::uint64_t refused() const noexcept { return refused_.load(std::memory_order_relaxed); }
  std::uint64_t failing_submitted() const noexcept { return failing_submitted_; }
  const std::vector<Sample>& samples() const noexcept { return samples_.all(); }
  const std::string& first_error() const noexcept { return first_error_; }

 private:
  bool is_open_loop() const noexcept { return settings_.rate > 0; }
  void submit_next(std::uint64_t due_ns);
  void pace();
  void on_refused(const Error& error);
  void finish_if_done(std::uint64_t completed);
  void note_error(std::string text);

  // The following functions run on the loop.
  void on_final(std::uint64_t due_ns, const Result<Report>& result);
  void account(const Result<Report>& result);
  void measure(std::uint64_t due_ns, std::uint64_t now);
  bool warm_up_over(std::uint64_t now) const noexcept;
  void open_window(std::uint64_t now);
  void close_window(std::uint64_t now);
  void roll_slice(std::uint64_t now);
  void top_up(std::uint64_t now);
  bool may_submit(std::uint64_t now) const noexcept;

  Engine& engine_;
  Workload& workload_;
  const Settings settings_;
  const Failing failing_;
  std::uint64_t began_ns_ = 0, warm_until_ns_ = 0, end_ns_ = 0;

  std::atomic<std::uint64_t> submitted_{0};
  std::atomic<std::uint64_t> completed_{0};
  std::atomic<std::uint64_t> target_{UINT64_MAX};  // the total number, once it is known
  std::atomic<bool> finished_{false};
  std::uint64_t failing_submitted_ = 0;  // used by the submitting thread only
  std::thread pacer_;

  std::atomic<std::uint64_t> refused_{0};
  std::uint64_t succeeded_ = 0, failed_ = 0;  // used by the loop only
  Samples samples_;                           // used by the loop only
  Window window_;
  bool window_open_ = false, window_closed_ = false;
  std::unique_ptr<Slice> slice_;
  std::mutex mutex_;  // guards the following members
  std::condition_variable ended_;
  std::string first_error_;
  std::deque<std::unique_ptr<Slice>> slices_;
};

}  // namespace belay::bench
