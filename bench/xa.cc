// Workload `xa`: each transaction inserts a row into a PostgreSQL and a MariaDB of this run. The
// work of a failing transaction refuses at MariaDB. Its floor is the same SQL without belay.
#include "belay/xa.h"

#include <atomic>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "servers/sql.h"
#include "workload.h"
#include "xa_databases.h"
#include "xa_floor.h"

namespace belay::bench {
namespace {

constexpr const char* kPut = "put";
constexpr const char* kPutAndRefuse = "put-and-refuse";

class XaWorkload : public Workload {
 public:
  explicit XaWorkload(const Settings& settings) : settings_(settings) {}

  std::string name() const override { return "xa"; }
  Result<> bring_up(const std::string& directory) override {
    auto started = XaDatabases::start(directory);
    if (!started) return started.error();
    databases_ = std::move(*started);
    return {};
  }
  Result<> register_on(Engine& engine) override;
  Result<> set_up(Engine&) override { return {}; }
  Result<> begin(Engine& engine, bool failing, ReportCallback done) override {
    return engine.submit(failing ? failing_ : succeeding_, std::move(done));
  }

  std::uint64_t calls() const override { return works_; }
  void verify(const Ends& ends, std::vector<std::string>& problems) const override;
  Result<std::optional<OwnFloor>> own_floor(double seconds) override;
  void take_down() override {
    leave();
    databases_.reset();
  }

 private:
  template <class Database, bool kRefuses>
  static Outcome put(const Call& call, Database* database, void* self);
  Xa both(const char* at_mariadb) const;
  void leave() {
    postgresql_.reset();
    mariadb_.reset();
  }

  const Settings settings_;
  std::unique_ptr<XaDatabases> databases_;
  std::optional<XaDatabase> postgresql_, mariadb_;
  Xa succeeding_, failing_;
  std::atomic<std::uint64_t> works_{0};
};

template <class Database, bool kRefuses>
Outcome XaWorkload::put(const Call& call, Database* database, void* self) {
  ++static_cast<XaWorkload*>(self)->works_;
  const auto done = servers::ask(database, insert_row(call.gid, call.payload));
  if (!done) return Outcome::unknown(done.error().detail);
  return kRefuses ? Outcome::failure("refused") : Outcome::success();
}

// As many connections as the floor has, and one more, which an XaDatabase reserves for second
// phases.
Result<> XaWorkload::register_on(Engine& engine) {
  const XaOptions options{.connections_max = settings_.in_flight + 1};
  auto first = XaDatabase::postgresql(engine, "bench-pg", databases_->postgresql(), options);
  if (!first) return first.error();
  postgresql_ = std::move(*first);
  auto second = XaDatabase::mariadb(engine, "bench-my", databases_->mariadb(), options);
  if (!second) return second.error();
  mariadb_ = std::move(*second);
  BELAY_TRY(postgresql_->handle(kPut, &put<pg_conn, false>, this));
  BELAY_TRY(mariadb_->handle(kPut, &put<st_mysql, false>, this));
  BELAY_TRY(mariadb_->handle(kPutAndRefuse, &put<st_mysql, true>, this));
  succeeding_ = both(kPut);
  failing_ = both(kPutAndRefuse);
  return {};
}

Xa XaWorkload::both(const char* at_mariadb) const {
  const std::string payload(settings_.payload_bytes, 'x');
  Xa xa;
  xa.branch(postgresql_->branch(kPut, payload)).branch(mariadb_->branch(at_mariadb, payload));
  xa.wait_result();
  return xa;
}

// A call may be made again if the database was slow; so `wanted` is only the minimum.
void XaWorkload::verify(const Ends& ends, std::vector<std::string>& problems) const {
  const auto wanted = 2 * ends.succeeded + ends.failed;
  if (works_ < wanted)
    problems.push_back(fmt::format("{} works were done, less than {}", works_.load(), wanted));
  const auto seen = databases_->verify(ends.succeeded, problems);
  if (!seen) problems.push_back("the databases cannot be verified: " + seen.error().detail);
}

Result<std::optional<OwnFloor>> XaWorkload::own_floor(double seconds) {
  leave();  // the floor uses the connections now
  const auto tps =
      measure_xa_floor(*databases_, {settings_.in_flight, settings_.payload_bytes, seconds});
  if (!tps) return tps.error();
  return std::optional(OwnFloor{*tps, "the same SQL, prepared and committed without belay"});
}

}  // namespace

std::unique_ptr<Workload> make_xa(const Settings& settings) {
  return std::make_unique<XaWorkload>(settings);
}

}  // namespace belay::bench
