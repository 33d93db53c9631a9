// Banks as HTTP services, in a build that has not both libraries: refused.
#include "demo/http_banks.h"

namespace belay::demo {
namespace {

const Error kWithoutHttp{
    ErrorCode::unsupported,
    "--http needs a build with libcurl and libmicrohttpd (Debian: libcurl4-openssl-dev, "
    "libmicrohttpd-dev, libgnutls28-dev)"};

}  // namespace

Result<std::unique_ptr<HttpBankProcesses>> HttpBankProcesses::start(const RunSettings&) {
  return kWithoutHttp;
}
Result<pid_t> HttpBankProcesses::kill_and_restart(BankId) { return kWithoutHttp; }
void HttpBankProcesses::stop() {}
Result<std::unique_ptr<Banks>> open_http_banks(const RunSettings&) { return kWithoutHttp; }

}  // namespace belay::demo
