// Banks as HTTP services, in a build that has not both libraries.
#include "demo/http_bank.h"
#include "demo/http_banks.h"

namespace belay::demo {
namespace {

Error unsupported() {
  return {ErrorCode::unsupported,
          "--http needs a build with libcurl and libmicrohttpd (Debian: libcurl4-openssl-dev, "
          "libmicrohttpd-dev, libgnutls28-dev)"};
}

}  // namespace

Result<> run_http_bank(const Settings&, BankId, std::uint16_t) { return unsupported(); }

Result<std::unique_ptr<HttpBanks>> HttpBanks::start(const Settings&, std::vector<std::string>) {
  return unsupported();
}
Result<> HttpBanks::start(BankId) { return unsupported(); }
Result<pid_t> HttpBanks::kill_and_restart(BankId) { return unsupported(); }
void HttpBanks::stop() {}

Result<std::unique_ptr<Banks>> open_http_banks(const Settings&) { return unsupported(); }

}  // namespace belay::demo
