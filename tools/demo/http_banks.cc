#include "demo/http_banks.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <deque>
#include <fstream>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "demo/messages.h"
#include "demo/payload.h"
#include "serve/http/client.h"

namespace belay::demo {
namespace {

constexpr std::size_t kPayers = 16;
constexpr Millis kPayTimeout{10'000};

// Both 0 if there is no such file.
Ports read_ports(const std::string& path) {
  Ports ports{};
  std::ifstream file(path);
  for (auto& port : ports) file >> port;
  return file ? ports : Ports{};
}

// Asks the payers' banks, so many at a time: no call of the engine's, but what an application does
// by itself.
class Payers {
 public:
  using Done = std::function<void(Outcome)>;

  explicit Payers(Doors doors) : doors_(std::move(doors)) {
    for (std::size_t i = 0; i < kPayers; ++i) threads_.emplace_back([this] { work(); });
  }
  Payers(const Payers&) = delete;
  Payers& operator=(const Payers&) = delete;
  ~Payers() {
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
    }
    wake_.notify_all();
    for (auto& thread : threads_) thread.join();
  }

  void ask(BankId bank, Leg leg, Done done) {
    {
      const std::lock_guard lock(mutex_);
      jobs_.push_back({bank, std::move(leg), std::move(done)});
    }
    wake_.notify_one();
  }

 private:
  struct Job {
    BankId bank;
    Leg leg;
    Done done;
  };

  void work() {
    for (;;) {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return closing_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      const auto job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job.done(pay(job));
    }
  }

  Outcome pay(const Job& job) const {
    http::ClientRequest request;
    request.method = "POST";
    request.url = doors_.to(job.bank, "pay") + "?gid=" + job.leg.gid;
    request.body = payload_of(job.leg.account, job.leg.cents);
    request.timeout = kPayTimeout;
    const auto response = http::fetch(request);
    if (!response) return Outcome::unknown(response.error().detail);
    if (response->status == 200) return Outcome::success();
    if (response->status == 409) return Outcome::failure(response->body);
    return Outcome::unknown(response->body);
  }

  const Doors doors_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;  // as many as transfers are in flight, at most
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

class BanksByUrl final : public Banks {
 public:
  BanksByUrl(Mode mode, const Ports& ports)
      : mode_(mode),
        doors_(ports),
        messages_(doors_, [this](BankId bank, Leg leg, Payers::Done done) {
          payers_->ask(bank, std::move(leg), std::move(done));
        }) {
    if (mode == Mode::msg) payers_.emplace(doors_);
  }

  Result<> serve(Engine&) override { return {}; }
  Result<> hand_in(Engine& engine, const Transfer& transfer, ReportCallback done) override {
    if (mode_ == Mode::msg) return messages_.hand_in(engine, transfer, std::move(done));
    return demo::hand_in(engine, mode_, doors_, transfer, std::move(done));
  }
  void tick(Engine& engine) override { messages_.try_again(engine); }

 private:
  Mode mode_;
  Doors doors_;
  Messages messages_;  // outlives the payers, who use it
  std::optional<Payers> payers_;
};

}  // namespace

Result<std::unique_ptr<HttpBanks>> HttpBanks::start(const Settings& settings,
                                                    std::vector<std::string> command) {
  std::unique_ptr<HttpBanks> banks(new HttpBanks(std::move(command)));
  banks->ports_ = read_ports(settings.files.ports());
  const bool known = banks->ports_ != Ports{};
  BELAY_TRY(banks->start(BankId::a));
  BELAY_TRY(banks->start(BankId::b));
  if (known) return banks;
  std::ofstream file(settings.files.ports());
  file << banks->ports_[0] << ' ' << banks->ports_[1] << '\n';
  file.close();
  if (file) return banks;
  return Error{ErrorCode::storage, "cannot write " + settings.files.ports()};
}

Result<> HttpBanks::start(BankId bank) {
  const auto at = static_cast<std::size_t>(bank);
  auto argv = command_;
  argv.insert(argv.end(),
              {"--bank", bank == BankId::a ? "a" : "b", "--port", std::to_string(ports_[at])});
  auto child = Child::start(argv);
  if (!child) return child.error();
  const auto line = child->next_line().value_or("failed without a word");
  const auto word = line.substr(0, line.find(' '));
  auto rest = line.substr(std::min(word.size() + 1, line.size()));
  if (word != "port") {
    return Error{ErrorCode::storage, fmt::format("{} does not start: {}", name_of(bank), rest)};
  }
  std::from_chars(rest.data(), rest.data() + rest.size(), ports_[at]);
  if (children_.size() <= at) {
    children_.push_back(std::move(*child));
  } else {
    children_[at] = std::move(*child);
  }
  return {};
}

Result<pid_t> HttpBanks::kill_and_restart(BankId bank) {
  auto& child = children_[static_cast<std::size_t>(bank)];
  const auto pid = child.pid();
  child.kill();
  child.wait();
  BELAY_TRY(start(bank));
  return pid;
}

void HttpBanks::stop() {
  for (auto& child : children_) child.hang_up();
  for (auto& child : children_) child.wait();
}

Result<std::unique_ptr<Banks>> open_http_banks(const Settings& settings) {
  const auto ports = read_ports(settings.files.ports());
  if (ports == Ports{}) return Error{ErrorCode::storage, "nobody serves the banks"};
  return std::unique_ptr<Banks>(std::make_unique<BanksByUrl>(settings.mode, ports));
}

}  // namespace belay::demo
