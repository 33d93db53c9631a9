// Submits sagas to a server with dtm's protocol, over a number of kept-alive connections: each
// waits for the answer that its saga is final, and then submits the next one. One thread, epoll, no
// library, because the load runs on the same machine as the server that is measured.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "belay/result.h"
#include "branches.h"
#include "failing.h"
#include "histogram.h"
#include "load.h"
#include "settings.h"

namespace belay::bench {

class HttpLoad {
 public:
  // `cpu_seconds` returns the CPU time that the server has used so far.
  HttpLoad(const Settings& settings, std::uint16_t port, Branches& branches,
           std::function<double()> cpu_seconds);
  HttpLoad(const HttpLoad&) = delete;
  HttpLoad& operator=(const HttpLoad&) = delete;
  ~HttpLoad();

  // Runs until the last answer. Error: storage, without a connection or an answer.
  Result<> run();

  double seconds() const noexcept { return static_cast<double>(until_ns_ - from_ns_) / 1e9; }
  double cpu_seconds() const noexcept { return cpu_at_end_ - cpu_at_start_; }
  std::uint64_t measured() const noexcept { return latencies_->count(); }
  const Histogram& latencies() const noexcept { return *latencies_; }
  std::uint64_t submitted() const noexcept { return submitted_; }
  std::uint64_t succeeded() const noexcept { return succeeded_; }
  std::uint64_t failed() const noexcept { return failed_; }
  std::uint64_t failing_submitted() const noexcept { return failing_submitted_; }
  const std::vector<Sample>& samples() const noexcept { return samples_.all(); }

 private:
  // A request without its gid; all gids have the same length.
  struct Letter {
    std::string before, after;
  };
  struct Connection {
    int fd = -1;
    std::string gid;
    bool failing = false;
    std::uint64_t sent_ns = 0;
    std::string in;
  };
  Letter letter_ending_with(Path last, std::uint16_t port) const;
  Result<> connect_all();
  Result<> submit_next(Connection& connection);
  Result<> read_from(Connection& connection);
  Result<> take_answer(Connection& connection, int status, std::string_view body);
  void measure(std::uint64_t sent_ns, std::uint64_t now);
  bool may_submit(std::uint64_t now) const noexcept;

  const Settings settings_;
  const std::uint16_t port_;
  const Failing failing_;
  Branches& branches_;
  const std::function<double()> cpu_now_;
  const Letter succeeding_letter_, failing_letter_;
  std::vector<Connection> connections_;
  int epoll_ = -1;
  std::string out_, body_;
  std::uint64_t submitted_ = 0, completed_ = 0, succeeded_ = 0, failed_ = 0;
  std::uint64_t failing_submitted_ = 0;
  std::uint64_t warm_until_ns_ = 0, end_ns_ = 0, from_ns_ = 0, until_ns_ = 0;
  double cpu_at_start_ = 0, cpu_at_end_ = 0;
  std::unique_ptr<Histogram> latencies_ = std::make_unique<Histogram>();
  Samples samples_;
};

}  // namespace belay::bench
