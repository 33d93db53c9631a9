// The alert webhook: notices of stuck transactions are posted to a URL. A thread of its own does
// this, so that a slow webhook delays nothing.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "belay/options.h"
#include "belay/result.h"
#include "serve/log.h"
#include "threads/pool.h"

namespace belay::tool {

class Alerts {
 public:
  // With an empty URL nothing is ever posted.
  Alerts(std::string url, std::string ca_file, ServeLog& log);
  Alerts(const Alerts&) = delete;
  Alerts& operator=(const Alerts&) = delete;
  ~Alerts() { thread_.stop(); }  // drops the queued alerts

  // Errors: resources (no thread is left).
  Result<> start();

  // See Options::on_stuck; `user` is the Alerts object.
  static void on_stuck(const StuckNotice& notice, void* user);

  struct Figures {
    std::uint64_t sent = 0, failed = 0, dropped = 0;  // totals
  };
  Figures figures() const { return {sent_, failed_, dropped_}; }

 private:
  void add(const StuckNotice& notice);
  void post(const std::string& body);

  const std::string url_;
  const std::string ca_file_;
  ServeLog& log_;
  std::atomic<std::uint64_t> sent_{0};
  std::atomic<std::uint64_t> failed_{0};
  std::atomic<std::uint64_t> dropped_{0};
  std::uint64_t refused_ = 0;  // in a row; only for the thread
  threads::Pool thread_;       // last: the thread uses the other members
};

}  // namespace belay::tool
