#include "demo/http_bank.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "demo/child.h"
#include "demo/counter.h"
#include "demo/payload.h"
#include "demo/services.h"
#include "serve/http/server.h"

namespace belay::demo {
namespace {

using Clock = std::chrono::steady_clock;

constexpr unsigned kConnectionsMax = 2'000;
// A port that was just left may be some other connection's for a moment.
constexpr std::chrono::seconds kPortPatience{5};
constexpr std::chrono::milliseconds kPortPause{20};
constexpr const char* kText = "text/plain; charset=utf-8";

http::Response response_of(const Outcome& outcome) {
  switch (outcome.kind()) {
    case OutcomeKind::success: return {200, "application/json", R"({"dtm_result":"SUCCESS"})", {}};
    case OutcomeKind::failure: return {409, kText, outcome.reason(), {}};
    case OutcomeKind::ongoing: return {425, kText, outcome.reason(), {}};
    case OutcomeKind::unknown: break;
  }
  return {500, kText, outcome.reason(), {}};
}

// What the request asks for; nothing if no bank knows how.
std::optional<Leg> leg_of(const http::Request& request) {
  Call call;
  call.gid = request.query_value("gid");
  call.payload = request.body;
  if (request.path == "/pay") {
    call.branch_id = kOwnBranch;
    return leg_of(call, Side::debit, Mode::msg);
  }
  const auto service = std::find_if(kServices.begin(), kServices.end(), [&](const Service& one) {
    return request.path == "/" + std::string(one.what);
  });
  if (service == kServices.end()) return std::nullopt;
  call.branch_id = request.query_value("branch_id");
  const auto op = op_from(request.query_value("op"));
  call.op = service->what == kBackCheck ? Op::query : op.value_or(Op::query);
  return leg_of(call, service->side, service->mode);
}

void answer(Counter& counter, const http::Request& request, http::Respond respond) {
  auto leg = leg_of(request);
  if (!leg) return respond({404, kText, "a bank does not know how to " + request.path, {}});
  counter.ask(std::move(*leg), [respond = std::move(respond)](const Outcome& outcome) {
    respond(response_of(outcome));
  });
}

Result<std::unique_ptr<http::Server>> listen(Counter& counter, std::uint16_t port) {
  http::ServerOptions options;
  options.port = port;
  options.connections_max = kConnectionsMax;
  const auto until = Clock::now() + kPortPatience;
  for (;;) {
    auto server = http::Server::start(
        options, [&counter](const http::Request& request, http::Respond respond) {
          answer(counter, request, std::move(respond));
        });
    if (server || port == 0 || Clock::now() >= until) return server;
    std::this_thread::sleep_for(kPortPause);
  }
}

Result<> serve_until_told(const Settings& settings, BankId id, std::uint16_t port) {
  auto bank = Bank::open(settings.files.bank(id), id, settings.accounts);
  if (!bank) return bank.error();
  Counter counter(std::move(*bank), id);
  const auto server = listen(counter, port);
  if (!server) return server.error();
  tell(fmt::format("port {}\n", (*server)->port()));
  wait_for_parents_end();
  (*server)->stop();
  return {};
}

}  // namespace

Result<> run_http_bank(const Settings& settings, BankId id, std::uint16_t port) {
  die_with_parent();
  const auto served = serve_until_told(settings, id, port);
  if (!served) tell("failed " + served.error().detail + "\n");
  return served;
}

}  // namespace belay::demo
