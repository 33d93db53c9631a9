// The branch service of workload `http` as the bench uses it: started, compared with the calls that
// the transactions' results require, and ended.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "belay/result.h"
#include "child.h"
#include "http_tally.h"
#include "settings.h"

namespace belay::bench {

class HttpBranches {
 public:
  // Starts a process of this same program.
  static Result<HttpBranches> start(const Settings& settings);

  std::uint16_t port() const noexcept { return port_; }
  std::string url(Path path) const;
  // A transaction has ended with this result. One thread at a time.
  void note_end(std::string_view gid, bool succeeded) noexcept {
    (succeeded ? succeeded_ : failed_).add(gid);
  }
  // Gets the service's counts. To be called when nothing is in flight any more.
  Result<> count();

  // According to `count`.
  std::uint64_t calls() const noexcept;
  double calls_per_transaction() const noexcept;
  void verify(std::vector<std::string>& problems) const;

 private:
  HttpBranches(Child child, std::uint32_t branches)
      : child_(std::move(child)), branches_(branches) {}
  void expect(Path path, const Tally& others, const Tally& last,
              std::vector<std::string>& problems) const;

  Child child_;
  std::uint32_t branches_;
  std::uint16_t port_ = 0;
  Tally succeeded_, failed_;  // transactions, by their result
  Tallies seen_;
};

}  // namespace belay::bench
