// Another process at the state file: it posts requests in belay_requests, as belay/requests.h says,
// and reads the answers. What it was told once has to stay so.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "belay/description.h"
#include "belay/requests.h"
#include "ledger.h"
#include "plan.h"
#include "sqlite/sqlite.h"
#include "support/crash_vfs.h"
#include "world.h"

namespace belay::sim {

// The answer in a row.
struct Posted {
  std::optional<ErrorCode> refused;  // empty: it was taken
  bool unposted = false;             // it was never in the file, and will never be
  bool forgotten = false;            // its answer was swept before it was read
  std::string gid;

  bool taken() const { return !refused && !unposted && !forgotten; }
};

class PostBox {
 public:
  using Told = std::function<void(const Posted&)>;

  PostBox(World& world, const Plan& plan, const test::CrashVfs& disk)
      : world_(world), plan_(plan), disk_(disk) {}

  // The row is in the file, or may be: `told` hears of it in any case.
  void post(const Request& request, Told told);
  void submit(Description description, std::string gid, Told told);
  // Reads the answers, if the disk lets it.
  void look();
  // From now on nothing crashes. What is not in the file some time later will never be: a failed
  // commit may come back once, when the engine opens its file again after a bad disk.
  void calm() { gone_from_ms_ = world_.now_ms() + 300'000; }
  bool all_answered() const;
  std::string unsettled() const;

 private:
  struct Row {
    std::string mark;
    bool certain = false;  // the commit was acknowledged
    std::optional<std::string> answer;
    std::string gid;
    Told told;
    bool is_told = false;
  };
  struct Seen {
    std::string mark;
    bool answered;
    std::string answer;
    std::string detail;
    std::string gid;
  };
  struct Draft {
    std::string_view verb;
    std::string gid;
    std::string body;
    std::string reason;
  };

  Result<sqlite::Database> open() const;
  void insert(const Draft& draft, Told told);
  Result<> run_insert(const Draft& draft, const std::string& mark) const;
  Result<std::vector<Seen>> read() const;
  void compare(Row& row, const Seen* seen);
  void take_answer(Row& row, const Seen& seen);
  void tell(Row& row, const Posted& posted);
  bool may_sweep() const;

  World& world_;
  const Plan& plan_;
  const test::CrashVfs& disk_;
  std::vector<Row> rows_;
  std::uint64_t gone_from_ms_ = ~std::uint64_t{0};
};

}  // namespace belay::sim
