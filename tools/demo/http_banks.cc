#include "demo/http_banks.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>
#include <utility>

#include "serve/http/client.h"
#include "serve/http/server.h"

namespace belay::demo {
namespace {

constexpr unsigned kConnectionsMax = 2'000;
constexpr std::size_t kPayers = 16;
constexpr Millis kPayTimeout{10'000};
// A port that was just left may be some other connection's for a moment.
constexpr std::chrono::seconds kPortPatience{5};
constexpr std::chrono::milliseconds kPortPause{20};
constexpr const char* kText = "text/plain; charset=utf-8";

using Ports = std::array<std::uint16_t, kBanks>;

// Both 0 if there is no such file.
Ports read_ports(const std::string& path) {
  Ports ports{};
  std::ifstream file(path);
  for (auto& port : ports) file >> port;
  return file ? ports : Ports{};
}

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
std::optional<Leg> requested_leg(const http::Request& request) {
  Call call;
  call.gid = request.query_value("gid");
  call.payload = request.body;
  if (request.path == "/pay") {
    call.branch_id = kOwnBranch;
    return leg_of(call, Side::debit, Mode::msg);
  }
  const auto service = std::find_if(kServices.begin(), kServices.end(), [&](const Service& one) {
    return request.path == "/" + std::string(one.name);
  });
  if (service == kServices.end()) return std::nullopt;
  call.branch_id = request.query_value("branch_id");
  const auto op = op_from(request.query_value("op"));
  call.op = service->name == kBackCheck ? Op::query : op.value_or(Op::query);
  return leg_of(call, service->side, service->mode);
}

void answer(BankService& bank, const http::Request& request, http::Respond respond) {
  auto leg = requested_leg(request);
  if (!leg) return respond({404, kText, "a bank does not know how to " + request.path, {}});
  bank.ask(std::move(*leg), [respond = std::move(respond)](const Outcome& outcome) {
    respond(response_of(outcome));
  });
}

Result<std::unique_ptr<http::Server>> listen_on(std::uint16_t port, BankService& bank) {
  http::ServerOptions options;
  options.port = port;
  options.connections_max = kConnectionsMax;
  const auto until = std::chrono::steady_clock::now() + kPortPatience;
  for (;;) {
    auto server =
        http::Server::start(options, [&bank](const http::Request& request, http::Respond respond) {
          answer(bank, request, std::move(respond));
        });
    if (server || port == 0 || std::chrono::steady_clock::now() >= until) return server;
    std::this_thread::sleep_for(kPortPause);
  }
}

Result<> serve_until_hang_up(const RunSettings& settings, BankId id, std::uint16_t port) {
  auto opened = Bank::open(settings.files.bank(id), id, settings.accounts);
  if (!opened) return opened.error();
  BankService bank(std::move(*opened), id);
  BELAY_TRY(bank.start());
  const auto server = listen_on(port, bank);
  if (!server) return server.error();
  tell(fmt::format("port {}\n", (*server)->port()));
  wait_for_hang_up();
  (*server)->stop();
  return {};
}

// The whole life of a bank's process. It tells "port N", or "failed WHY".
int run_bank(const RunSettings& settings, BankId id, std::uint16_t port) {
  const auto served = serve_until_hang_up(settings, id, port);
  if (!served) tell("failed " + served.error().detail + "\n");
  return served ? 0 : 1;
}

class HttpBanks final : public BarrierBanks {
 public:
  HttpBanks(Mode mode, const Addresses& addresses)
      : BarrierBanks(mode, addresses), addresses_(addresses) {}

  Result<> serve(Engine&) override { return payers_.have(kPayers); }

 private:
  // No call of the engine's, but what an application does by itself.
  void debit(BankId payer, Leg leg, OutcomeDone done) override {
    payers_.add(
        [this, payer, leg = std::move(leg), done = std::move(done)] { done(pay(payer, leg)); });
  }
  Outcome pay(BankId payer, const Leg& leg) const {
    http::ClientRequest request;
    request.method = "POST";
    request.url = addresses_.of(payer, "pay") + "?gid=" + leg.gid;
    request.body = payload_of(leg.account, leg.cents);
    request.timeout = kPayTimeout;
    const auto response = http::fetch(request);
    if (!response) return Outcome::unknown(response.error().detail);
    if (response->status == 200) return Outcome::success();
    if (response->status == 409) return Outcome::failure(response->body);
    return Outcome::unknown(response->body);
  }

  const Addresses addresses_;
  threads::Pool payers_{"demo-payer"};
};

}  // namespace

Result<std::unique_ptr<HttpBankProcesses>> HttpBankProcesses::start(const RunSettings& settings) {
  std::unique_ptr<HttpBankProcesses> banks(new HttpBankProcesses(settings));
  banks->ports_ = read_ports(settings.files.ports());
  const bool known = banks->ports_ != Ports{};
  for (const auto bank : kBankIds) BELAY_TRY(banks->start(bank));
  if (known) return banks;
  std::ofstream file(settings.files.ports());
  file << banks->ports_[0] << ' ' << banks->ports_[1] << '\n';
  file.close();
  if (file) return banks;
  return Error{ErrorCode::storage, "cannot write " + settings.files.ports()};
}

Result<> HttpBankProcesses::start(BankId bank) {
  auto& port = ports_[index_of(bank)];
  auto child = Child::start([&] { return run_bank(settings_, bank, port); });
  if (!child) return child.error();
  const auto line = (*child)->next_line().value_or("failed without a word");
  const auto word = line.substr(0, line.find(' '));
  const auto rest = line.substr(std::min(word.size() + 1, line.size()));
  if (word != "port") {
    return Error{ErrorCode::storage, fmt::format("{} does not start: {}", name_of(bank), rest)};
  }
  port = static_cast<std::uint16_t>(std::stoul(rest));
  children_[index_of(bank)] = std::move(*child);
  return {};
}

Result<pid_t> HttpBankProcesses::kill_and_restart(BankId bank) {
  auto& child = *children_[index_of(bank)];
  const auto pid = child.pid();
  child.kill();
  child.wait();
  BELAY_TRY(start(bank));
  return pid;
}

void HttpBankProcesses::stop() {
  for (auto& child : children_) child->hang_up();
  for (auto& child : children_) child->wait();
}

Result<std::unique_ptr<Banks>> open_http_banks(const RunSettings& settings) {
  const auto ports = read_ports(settings.files.ports());
  if (ports == Ports{}) return Error{ErrorCode::storage, "nobody serves the banks"};
  Addresses urls;
  for (std::size_t i = 0; i < kBanks; ++i) {
    urls.prefixes[i] = fmt::format("http://127.0.0.1:{}/", ports[i]);
  }
  return std::unique_ptr<Banks>(std::make_unique<HttpBanks>(settings.mode, urls));
}

}  // namespace belay::demo
