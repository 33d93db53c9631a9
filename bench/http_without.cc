// Workload `http` in a build without libcurl.
#include "workload.h"
#include "workloads.h"

namespace belay::bench {
namespace {

Error unsupported() {
  return {ErrorCode::unsupported,
          "workload http needs a build with libcurl (Debian: libcurl4-openssl-dev)"};
}

class NoHttp : public Workload {
 public:
  std::string name() const override { return "http"; }
  Result<> bring_up(const std::string&) override { return unsupported(); }
  Result<> register_on(Engine&) override { return {}; }
  Result<> set_up(Engine&) override { return {}; }
  Result<> begin(Engine&, bool, ReportCallback) override { return {}; }
  std::uint64_t calls() const override { return 0; }
  void verify(const Ends&, std::vector<std::string>&) const override {}
};

}  // namespace

std::unique_ptr<Workload> make_http(const Settings&) { return std::make_unique<NoHttp>(); }

Result<Figures> run_http_serve(const Settings&) { return unsupported(); }

}  // namespace belay::bench
