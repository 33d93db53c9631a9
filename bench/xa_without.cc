// Workload `xa` in a build that lacks the client library of one of the databases.
#include "workload.h"

namespace belay::bench {
namespace {

class NoXa : public Workload {
 public:
  std::string name() const override { return "xa"; }
  Result<> bring_up(const std::string&) override {
    return Error{ErrorCode::unsupported,
                 "workload xa needs a build with the client libraries of PostgreSQL and MariaDB "
                 "(Debian: libpq-dev, libmariadb-dev)"};
  }
  Result<> register_on(Engine&) override { return {}; }
  Result<> set_up(Engine&) override { return {}; }
  Result<> begin(Engine&, bool, ReportCallback) override { return {}; }
  std::uint64_t calls() const override { return 0; }
  void verify(const Ends&, std::vector<std::string>&) const override {}
};

}  // namespace

std::unique_ptr<Workload> make_xa(const Settings&) { return std::make_unique<NoXa>(); }

}  // namespace belay::bench
