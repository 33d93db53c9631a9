// belay demo: shows belay's main use on real input. Two banks and a file of transfers, one
// transaction for each transfer in any of the modes, and an audit at the end.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>

#include "command.h"
#include "demo/http_banks.h"
#include "demo/summary.h"
#include "demo/xa_banks.h"

namespace belay::tool {
namespace {

constexpr const char* kDemoDetails = R"(
Two banks, each with a SQLite database of its own, and an engine with its state
in DIR/belay.db. Every row of the file becomes a transaction between them. At
the end the banks' own books are read, and every transfer must have moved its
money in both banks or in neither; else the exit code is 1. By --mode:

  saga  debit an account in one bank, credit one in the other, and undo the
        debit if the credit is refused
  tcc   reserve in both banks, then confirm both, or cancel what was reserved
  msg   debit in a transaction of the one bank's own, with a message to the
        other that is delivered if and only if that committed; what cannot be
        credited there goes to a suspense account
  xa    the banks are two servers, PostgreSQL and MariaDB, that the demo starts
        below DIR: both prepare, then both commit, or both roll back

With --http the banks of a saga, tcc or msg are two HTTP services in processes
of their own, on free ports of 127.0.0.1 that DIR remembers, and the branches
are URLs. A msg's payer asks its bank for the debit by itself, between prepare
and submit. With --kill-at each bank is killed and started again too, once on
either side of the engine's own kill.

The file's columns are id, from_bank, from_account, to_bank, to_account, amount
and memo (may be left out), as UTF-8 with commas: T1,a,17,b,4,12.50,rent. A bad
row is reported with its line and left out. Without --transfers an example of
24,000 rows is used (with xa its first 2,000); its result does not depend on the order of the calls.

A row's transaction is called transfer-ID. So the same file with the same --dir
goes on where an earlier run was stopped, and runs nothing twice.

Examples:
  belay demo                          about two seconds
  belay demo --mode tcc               reserve, confirm, cancel
  belay demo --kill-at 50             kill -9 the engine half-way, and go on
  belay demo --http --kill-at 50      the same to URLs, and kill the banks too
  belay demo --transfers my.csv --accounts 500 --dir /tmp/banks
)";

constexpr std::uint64_t kAccountsMax = 1'000'000;
constexpr std::size_t kInFlight = 256;
constexpr std::size_t kInFlightMax = 10'000;
// Two servers take some milliseconds a transfer, and keep rows locked meanwhile.
constexpr std::size_t kXaInFlight = 32;
constexpr std::size_t kXaInFlightMax = 64;
constexpr std::size_t kXaTransfers = 2'000;

struct DemoOptions {
  demo::RunSettings settings;
  std::optional<std::uint64_t> in_flight;
  std::optional<std::uint64_t> first;
  std::optional<std::uint64_t> accounts;
  std::optional<std::uint64_t> patience_seconds;
  std::optional<std::uint64_t> kill_percent;  // none: not at all
};

void set_mode(demo::RunSettings& settings, const std::string& name) {
  const auto mode = mode_from(name);
  if (!mode || *mode == Mode::workflow) {
    throw CLI::ValidationError("--mode", fmt::format("'{}' is not saga, tcc, xa or msg", name));
  }
  settings.mode = *mode;
}

void add_demo_options(CLI::App* command, DemoOptions& options) {
  auto& settings = options.settings;
  command
      ->add_option_function<std::string>(
          "--mode", [&settings](const std::string& name) { set_mode(settings, name); },
          "what a transfer is: saga (default), tcc, xa or msg")
      ->type_name("MODE");
  command->add_option("--transfers", settings.transfers, "the file of transfers")
      ->type_name("FILE.csv");
  add_count_option(command, "--first", options.first,
                   "only so many of the file's transfers; default: all, with xa 2000", 1);
  add_count_option(command, "--accounts", options.accounts,
                   "accounts of each bank, numbered from 1; default: 2000, at most 1000000", 1,
                   kAccountsMax);
  command
      ->add_option("--dir", settings.files.directory,
                   "where the files are; default: a new temporary one, which is kept")
      ->type_name("DIR");
  add_count_option(command, "--in-flight", options.in_flight,
                   "transfers under way at a time; default: 256, at most 10000; xa: 32 and 64", 1,
                   kInFlightMax);
  add_count_option(command, "--kill-at", options.kill_percent,
                   "kill the engine's process at so much percent, 1 to 99, and go on", 1, 99);
  add_count_option(command, "--patience", options.patience_seconds,
                   "seconds until it gives up when nothing became final; default: 30", 1, 3600);
  add_flag_option(command, "--http", settings.http,
                  "the banks are HTTP services, the branches URLs; not with --mode xa");
}

// What was not given depends on the mode. Returns what does not go together.
std::optional<std::string> complete(DemoOptions& options) {
  auto& settings = options.settings;
  const bool xa = settings.mode == Mode::xa;
  if (settings.http && xa) {
    return "--http does not go with --mode xa: its banks are servers already";
  }
  if (xa && options.in_flight.value_or(0) > kXaInFlightMax) {
    return fmt::format("--in-flight: {} is not possible with --mode xa, it must be 1 to {}",
                       *options.in_flight, kXaInFlightMax);
  }
  settings.files.servers = xa;
  settings.first = options.first.value_or(xa ? kXaTransfers : settings.first);
  settings.in_flight = options.in_flight.value_or(xa ? kXaInFlight : kInFlight);
  settings.patience = std::chrono::seconds(options.patience_seconds.value_or(30));
  if (options.accounts) settings.accounts = static_cast<std::int64_t>(*options.accounts);
  return std::nullopt;
}

constexpr const char* kExampleName = "transfers.csv";

// The file lies beside the program in the build tree, and in the data directory once installed; the
// path is found even if the installation was moved.
std::string example_path(const Context& context) {
  std::error_code ignored;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  const auto here = (ignored ? std::filesystem::path(context.program) : program).parent_path();
  const std::filesystem::path places[] = {here / kExampleName,
                                          here.parent_path() / "share/belay" / kExampleName,
                                          std::filesystem::path(BELAY_DATA_DIR) / kExampleName};
  for (const auto& place : places) {
    if (std::filesystem::is_regular_file(place, ignored)) return place.string();
  }
  return places[2].string();
}

Result<> make_directory(std::string& path) {
  std::error_code failed;
  if (path.empty()) {
    path = (std::filesystem::temp_directory_path(failed) / "belay-demo-XXXXXX").string();
    if (!failed && ::mkdtemp(path.data()) != nullptr) return {};
    const std::string why = failed ? failed.message() : std::strerror(errno);
    return Error{ErrorCode::storage, "cannot make a temporary directory: " + why};
  }
  std::filesystem::create_directories(path, failed);
  if (!failed) return {};
  return Error{ErrorCode::storage,
               fmt::format("cannot make the directory {}: {}", path, failed.message())};
}

Result<> found_banks(const demo::RunSettings& settings) {
  for (const auto id : demo::kBankIds) {
    const auto bank = demo::Bank::open(settings.files.bank(id), id, settings.accounts);
    if (!bank) return bank.error();
  }
  return {};
}

// Problems with the banks are reported before anything runs.
Result<> found_banks(demo::RunSettings& settings, std::unique_ptr<demo::XaServers>& servers) {
  if (settings.mode != Mode::xa) return found_banks(settings);
  std::error_code failed;  // on failure the path stays as it is, and the servers report it
  const auto absolute = std::filesystem::absolute(settings.files.directory, failed);
  if (!failed) settings.files.directory = absolute.lexically_normal().string();
  auto started = demo::XaServers::start(settings);
  if (!started) return started.error();
  servers = std::move(*started);
  return {};
}

class Demo {
 public:
  Demo(Context& context, const DemoOptions& options)
      : context_(context), options_(options), settings_(options.settings) {}

  ExitCode run() {
    if (settings_.transfers.empty()) settings_.transfers = example_path(context_);
    auto file = demo::read_transfers(settings_.transfers);
    if (!file) {
      const bool missing = file.error().code == ErrorCode::not_found;
      return fail(context_, missing ? ExitCode::not_found : ExitCode::failed, file.error().detail,
                  "--transfers names a CSV file, see `belay demo --help`");
    }
    file_ = std::move(*file);
    if (file_.transfers.size() > settings_.first) {
      file_.left_out = file_.transfers.size() - settings_.first;
      file_.transfers.resize(settings_.first);
    }
    demo::print_bad_rows(context_.err, settings_.transfers, file_);
    if (file_.transfers.empty()) {
      return fail(context_, ExitCode::failed,
                  fmt::format("{} has no transfer in it", settings_.transfers),
                  "see `belay demo --help` for the format");
    }
    if (auto made = make_directory(settings_.files.directory); !made) {
      return fail(context_, made.error());
    }
    const auto founded = found_banks(settings_, servers_);
    if (!founded) return complain(founded.error());
    if (settings_.http) {
      auto started = demo::HttpBankProcesses::start(settings_);
      if (!started) return fail(context_, started.error());
      services_ = std::move(*started);
    }
    return run_and_audit();
  }

 private:
  // In a process of its own.
  ExitCode work() {
    const auto worked = demo::run_worker(settings_, file_.transfers);
    return worked ? ExitCode::done : fail(context_, worked.error());
  }

  // Reports an error of the banks before anything ran.
  ExitCode complain(const Error& error) {
    switch (error.code) {
      case ErrorCode::invalid_argument:
        return fail(context_, ExitCode::usage, error.detail,
                    "give that number as --accounts, or another --dir");
      case ErrorCode::unsupported:
        return fail(context_, ExitCode::failed, error.detail,
                    "install postgresql and mariadb-server-core, or use another --mode");
      case ErrorCode::misuse:
        return fail(context_, ExitCode::failed, error.detail, "use another --dir");
      default: return fail(context_, error);
    }
  }

  ExitCode run_and_audit() {
    if (!context_.json) demo::print_intro(context_.out, settings_, file_);
    demo::Results results(file_.transfers.size());
    int worker_code = 0;
    const auto totals = conduct(results, worker_code);
    if (!totals && worker_code > 0) return static_cast<ExitCode>(worker_code);
    if (!totals) return fail(context_, totals.error());
    if (services_) services_->stop();
    const auto audit = read_books(results);
    if (!audit) return fail(context_, audit.error());
    servers_.reset();
    return say(results, *totals, *audit);
  }

  Result<demo::Audit> read_books(const demo::Results& results) {
    if (!servers_) return demo::audit(settings_.files, file_.transfers, results);
    BELAY_TRY(servers_->copy_books());
    auto audit = demo::audit(settings_.files, file_.transfers, results);
    const auto prepared = servers_->prepared();
    if (!prepared) return prepared.error();
    if (audit && results.done() == results.size() && *prepared > 0) {
      audit->add_problem(fmt::format("prepared transactions left in the servers: {}", *prepared));
    }
    return audit;
  }

  Result<demo::RunTotals> conduct(demo::Results& results, int& worker_code) {
    demo::Meter meter(context_.err, results.size());
    demo::ProgressWatcher watcher;
    watcher.done = [&](std::size_t done) {
      meter.show(done);
      kill_banks(meter, done, results.size());
    };
    watcher.killed = [&meter](pid_t pid) {
      meter.say(fmt::format("killed process {} with SIGKILL, starting another on its files", pid));
    };
    if (!options_.kill_percent) {
      return demo::conduct(settings_, file_.transfers, results, watcher);
    }
    return demo::conduct_killed(
        static_cast<unsigned>(*options_.kill_percent), [this] { return static_cast<int>(work()); },
        results, watcher, worker_code);
  }

  // Kills the first bank half-way to the kill of the engine, and the other bank half-way from there
  // to the end.
  void kill_banks(demo::Meter& meter, std::size_t done, std::size_t all) {
    if (!services_ || !options_.kill_percent || bank_kills_.size() == demo::kBanks) return;
    const bool first = bank_kills_.empty();
    const auto percent = first ? *options_.kill_percent / 2 : (*options_.kill_percent + 100) / 2;
    if (done == 0 || done == all || done * 100 < all * percent) return;
    const auto bank = first ? demo::BankId::a : demo::BankId::b;
    const auto killed = services_->kill_and_restart(bank);
    bank_kills_.push_back({bank, killed ? *killed : 0, done});
    meter.say(killed ? fmt::format("killed {}, process {}, with SIGKILL, starting another on its "
                                   "books and port",
                                   name_of(bank), *killed)
                     : killed.error().detail);
  }

  ExitCode say(const demo::Results& results, const demo::RunTotals& totals,
               const demo::Audit& audit) {
    demo::Summary summary{settings_,   file_, results, totals,          audit,
                          bank_kills_, 0,     0,       context_.program};
    // The opening books are of no use if other transfers were performed since.
    if (audit.strangers == 0 && results.count(demo::Verdict::refused) == 0) {
      const auto forecast = demo::forecast(file_.transfers, settings_.accounts, settings_.mode);
      summary.forecast = forecast.size() - demo::open_in(forecast);
      summary.surprises = demo::surprises(forecast, results);
    }
    if (context_.json) {
      demo::print_json(context_.out, summary);
    } else {
      demo::print_summary(context_.out, summary);
    }
    return summary.fine() ? ExitCode::done : complain(summary);
  }

  ExitCode complain(const demo::Summary& summary) {
    if (summary.totals.gave_up) {
      return fail(context_, ExitCode::failed,
                  fmt::format("nothing became final for {} s, {} transfers are not",
                              settings_.patience.count(), count(summary.unfinished())),
                  fmt::format("see `belay stuck --db {}`", settings_.files.engine()));
    }
    if (summary.results.count(demo::Verdict::refused) > 0 && summary.audit.clean()) {
      return fail(context_, ExitCode::failed,
                  fmt::format("{} transfers were not taken",
                              count(summary.results.count(demo::Verdict::refused))),
                  "another file or mode was run in this directory: use a new --dir");
    }
    return fail(context_, ExitCode::failed, "the books are not in order",
                fmt::format("keep {} and report it", settings_.files.directory));
  }

  Context& context_;
  const DemoOptions& options_;
  demo::RunSettings settings_;
  demo::TransferFile file_;
  std::unique_ptr<demo::XaServers> servers_;
  std::unique_ptr<demo::HttpBankProcesses> services_;
  std::vector<demo::BankKill> bank_kills_;
};

}  // namespace

void add_demo(CLI::App& app, Context& context) {
  const auto options = std::make_shared<DemoOptions>();
  auto* command =
      add_command(app, "demo", "move money between two banks, and audit it", kDemoDetails);
  add_json_option(command, context);
  add_demo_options(command, *options);
  on_run(command, context, [&context, options] {
    if (const auto wrong = complete(*options))
      return fail(context, ExitCode::usage, *wrong, "see `belay demo --help`");
    return Demo(context, *options).run();
  });
}

}  // namespace belay::tool
