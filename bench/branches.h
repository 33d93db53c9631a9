// A service in another process whose calls are the branches, as the bench uses it: started,
// compared with the calls that the transactions' results require, and ended.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "belay/result.h"
#include "child.h"
#include "settings.h"
#include "tally.h"

namespace belay::bench {

// What is different between the services: how to start one, and the URLs of its branches.
struct BranchService {
  std::vector<std::string> command;  // the numbers of a ServiceSettings are appended
  std::string url_begin;             // "http://127.0.0.1:", then the port,
  std::string url_end;               // then this, then the path
};

class Branches {
 public:
  static Result<Branches> start(const BranchService& service, const Settings& settings);

  std::uint16_t port() const noexcept { return port_; }
  std::string url(Path path) const;
  // A transaction has ended with this result. One thread at a time.
  void note_end(std::string_view gid, bool succeeded) noexcept {
    (succeeded ? succeeded_ : failed_).add(gid);
  }
  // The same for all transactions of a run.
  void take_ends(const Tally& succeeded, const Tally& failed) noexcept {
    succeeded_ = succeeded;
    failed_ = failed;
  }
  // Gets the service's counts. To be called when nothing is in flight any more.
  Result<> count();

  // According to `count`.
  std::uint64_t calls() const noexcept;
  double calls_per_transaction() const noexcept;
  void verify(std::vector<std::string>& problems) const;

 private:
  Branches(Child child, const BranchService& service, std::uint32_t branches)
      : child_(std::move(child)),
        url_begin_(service.url_begin),
        url_end_(service.url_end),
        branches_(branches) {}
  void expect(Path path, const Tally& others, const Tally& last,
              std::vector<std::string>& problems) const;

  Child child_;
  std::string url_begin_, url_end_;
  std::uint32_t branches_;
  std::uint16_t port_ = 0;
  Tally succeeded_, failed_;  // transactions, by their result
  Tallies seen_;
};

}  // namespace belay::bench
