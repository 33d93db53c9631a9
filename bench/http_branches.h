// The branch service of workload `http` as the bench sees it: started, held against what the
// transactions' ends say it must have been asked, ended.
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
  // A process of this very program.
  static Result<HttpBranches> start(const Settings& settings);

  std::uint16_t port() const noexcept { return port_; }
  std::string url(Path path) const;
  // A transaction ended so. One thread at a time.
  void note_end(std::string_view gid, bool succeeded) noexcept {
    (succeeded ? succeeded_ : failed_).add(gid);
  }
  // Asks the service what it saw. Once nothing is in flight any more.
  Result<> count();

  // As counted.
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
  Tally succeeded_, failed_;  // of transactions, by how they ended
  Tallies seen_;
};

}  // namespace belay::bench
