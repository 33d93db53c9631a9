#include "xa_floor.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "machine.h"
#include "servers/sql.h"

namespace belay::bench {
namespace {

std::string guard_of(const std::string& gid, const char* branch) {
  return fmt::format(
      "INSERT INTO dtm_barrier.barrier (trans_type, gid, branch_id, op, barrier_id, reason) "
      "VALUES ('xa', '{}', '{}', 'action', '01', 'action')",
      gid, branch);
}

// The connections of one thread. A thread sends PostgreSQL a statement and meanwhile works with
// MariaDB.
class Lane {
 public:
  static Result<Lane> connect(const XaDatabases& databases) {
    auto postgresql = servers::connect_postgresql(databases.postgresql());
    if (!postgresql) return postgresql.error();
    auto mariadb = servers::connect_mariadb(databases.mariadb_socket());
    if (!mariadb) return mariadb.error();
    return Lane(std::move(*postgresql), std::move(*mariadb));
  }

  Result<> transact(const std::string& gid, const std::string& payload) {
    const auto xid = fmt::format("'bare-{}','02'", gid);
    BELAY_TRY(both("BEGIN", {"XA START " + xid}));
    BELAY_TRY(both(guard_of(gid, "01"), {guard_of(gid, "02")}));
    const auto row = insert_row(gid, payload);
    BELAY_TRY(both(row, {row}));
    BELAY_TRY(both(fmt::format("PREPARE TRANSACTION 'bare-{}.01'", gid),
                   {"XA END " + xid, "XA PREPARE " + xid}));
    return both(fmt::format("COMMIT PREPARED 'bare-{}.01'", gid), {"XA COMMIT " + xid});
  }

 private:
  Lane(servers::PgConnection postgresql, servers::MariaDbConnection mariadb)
      : postgresql_(std::move(postgresql)), mariadb_(std::move(mariadb)) {}

  Result<> both(const std::string& at_postgresql, std::initializer_list<std::string> at_mariadb) {
    BELAY_TRY(servers::send(postgresql_.get(), at_postgresql));
    for (const auto& sql : at_mariadb) {
      if (const auto ran = servers::ask(mariadb_.get(), sql); !ran) return ran.error();
    }
    return servers::finish(postgresql_.get());
  }

  servers::PgConnection postgresql_;
  servers::MariaDbConnection mariadb_;
};

struct Span {
  std::uint64_t from_ns, until_ns;
};

// Counts the transactions that ended within the span; an error ends the thread.
class Runner {
 public:
  Runner(Lane lane, unsigned number, const XaFloorSettings& settings, const Span& span)
      : lane_(std::move(lane)),
        thread_([this, number, settings, span] { run(number, settings, span); }) {}
  void join() { thread_.join(); }

  std::uint64_t counted() const { return counted_; }  // valid once joined
  const std::optional<Error>& error() const { return error_; }

 private:
  void run(unsigned number, const XaFloorSettings& settings, const Span& span) {
    const std::string payload(settings.payload_bytes, 'x');
    for (std::uint64_t i = 0; now_ns() < span.until_ns; ++i) {
      const auto done = lane_.transact(fmt::format("bare-{}-{}", number, i), payload);
      if (!done) return void(error_ = done.error());
      const auto now = now_ns();
      if (now >= span.from_ns && now < span.until_ns) ++counted_;
    }
  }

  Lane lane_;
  std::uint64_t counted_ = 0;
  std::optional<Error> error_;
  std::thread thread_;  // last, because the thread uses the other members
};

}  // namespace

Result<double> measure_xa_floor(const XaDatabases& databases, const XaFloorSettings& settings) {
  std::vector<Lane> lanes;
  for (unsigned i = 0; i < settings.threads; ++i) {
    auto lane = Lane::connect(databases);
    if (!lane) return lane.error();
    lanes.push_back(std::move(*lane));
  }
  const auto start = now_ns();
  const auto length = static_cast<std::uint64_t>(settings.seconds * 1e9);
  const Span span{start + length / 10, start + length};
  std::deque<Runner> runners;
  for (unsigned i = 0; i < settings.threads; ++i)
    runners.emplace_back(std::move(lanes[i]), i, settings, span);
  for (auto& runner : runners) runner.join();
  std::uint64_t counted = 0;
  for (const auto& runner : runners) {
    if (runner.error()) return *runner.error();
    counted += runner.counted();
  }
  return static_cast<double>(counted) * 1e9 / static_cast<double>(span.until_ns - span.from_ns);
}

}  // namespace belay::bench
