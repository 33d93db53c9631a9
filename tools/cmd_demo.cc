// belay demo: the main job on real input. Two banks, a file of transfers, one transaction each in
// any of the modes, an audit at the end.
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
#include "demo/summary.h"
#include "demo/xa_servers.h"

namespace belay::tool {
namespace {

constexpr const char* kDetails = R"(
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
  belay demo --transfers my.csv --accounts 500 --dir /tmp/banks
)";

constexpr std::int64_t kAccountsMax = 1'000'000;
constexpr std::size_t kInFlightMax = 10'000;
constexpr std::size_t kInFlight = 256;
// Two servers take some milliseconds a transfer, and keep rows locked meanwhile.
constexpr std::size_t kXaInFlight = 32;
constexpr std::size_t kXaInFlightMax = 64;
constexpr std::size_t kXaTransfers = 2'000;
constexpr const char* kExampleName = "transfers.csv";

struct DemoOptions {
  demo::Settings settings;
  std::optional<std::size_t> in_flight;
  std::optional<std::size_t> first;
  std::int64_t patience_seconds = 30;
  unsigned kill_percent = 0;  // 0: not at all
  bool worker = false;
};

// Beside the program in the build tree, in the data directory once installed; wherever that was
// moved to.
std::string example_path(const Context& context) {
  const std::filesystem::path here =
      std::filesystem::path(demo::own_path(context.program)).parent_path();
  const std::filesystem::path places[] = {here / kExampleName,
                                          here.parent_path() / "share/belay" / kExampleName,
                                          std::filesystem::path(BELAY_DATA_DIR) / kExampleName};
  std::error_code ignored;
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

Result<> found_banks(const demo::Settings& settings) {
  for (const auto id : {demo::BankId::a, demo::BankId::b}) {
    const auto bank = demo::Bank::open(settings.files.bank(id), id, settings.accounts);
    if (!bank) return bank.error();
  }
  return {};
}

// So that what is wrong with the banks is said before anything runs.
Result<> found_banks(demo::Settings& settings, std::unique_ptr<demo::XaServers>& servers) {
  if (settings.mode != Mode::xa) return found_banks(settings);
  std::error_code failed;  // then it stays as it is, and the servers complain
  const auto absolute = std::filesystem::absolute(settings.files.directory, failed);
  if (!failed) settings.files.directory = absolute.lexically_normal().string();
  auto started = demo::XaServers::start(settings);
  if (!started) return started.error();
  servers = std::move(*started);
  return {};
}

// A bar for people, four lines for a log.
class Meter {
 public:
  Meter(Out& out, std::size_t all) : out_(out), bar_(out, "transfers"), all_(all) {}

  void show(std::size_t done) {
    const auto percent = static_cast<unsigned>(done * 100 / all_);
    if (percent == percent_) return;
    percent_ = percent;
    if (out_.terminal()) {
      bar_.show(percent, fmt::format("{} of {}", count(done), count(all_)));
    } else if (percent / 25 > shown_ / 25) {
      shown_ = percent / 25 * 25;
      out_.print("{:3} %: {} of {} transfers\n", shown_, count(done), count(all_));
      out_.flush();
    }
  }
  void say(const std::string& line) {
    bar_.clear();
    out_.write(line + "\n");
    out_.flush();
  }

 private:
  Out& out_;
  Progress bar_;
  std::size_t all_;
  unsigned percent_ = 101;  // none yet
  unsigned shown_ = 0;
};

std::vector<std::string> worker_command(const Context& context, const demo::Settings& settings) {
  return {demo::own_path(context.program),
          "demo",
          "--worker",
          "--transfers",
          settings.transfers,
          "--mode",
          std::string(name_of(settings.mode)),
          "--first",
          std::to_string(settings.first),
          "--dir",
          settings.files.directory,
          "--accounts",
          std::to_string(settings.accounts),
          "--in-flight",
          std::to_string(settings.in_flight),
          "--patience",
          std::to_string(settings.patience.count())};
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
    if (options_.worker) return work();
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
    return founded ? run_and_audit() : complain(founded.error());
  }

 private:
  ExitCode work() {
    const auto worked = demo::run_worker(settings_, file_.transfers);
    return worked ? ExitCode::done : fail(context_, worked.error());
  }

  // Of the banks, before anything ran.
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
    const auto story = conduct(results, worker_code);
    if (!story && worker_code > 0) return static_cast<ExitCode>(worker_code);  // it said why
    if (!story) return fail(context_, story.error());
    const auto audit = read_books(results);
    if (!audit) return fail(context_, audit.error());
    servers_.reset();
    return say(results, *story, *audit);
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

  Result<demo::Story> conduct(demo::Results& results, int& worker_code) {
    Meter meter(context_.err, results.size());
    demo::Onlooker onlooker;
    onlooker.done = [&meter](std::size_t done) { meter.show(done); };
    onlooker.killed = [&meter](pid_t pid) {
      meter.say(fmt::format("killed process {} with SIGKILL, starting another on its files", pid));
    };
    if (options_.kill_percent == 0) {
      return demo::conduct(settings_, file_.transfers, results, onlooker);
    }
    return demo::conduct_killed(options_.kill_percent, worker_command(context_, settings_), results,
                                onlooker, worker_code);
  }

  ExitCode say(const demo::Results& results, const demo::Story& story, const demo::Audit& audit) {
    demo::Summary summary{settings_, file_, results, story, audit, 0, 0, context_.program};
    // The opening books tell nothing if other transfers were performed since.
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
    if (summary.story.gave_up) {
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
  demo::Settings settings_;
  demo::TransferFile file_;
  std::unique_ptr<demo::XaServers> servers_;
};

template <class Number>
CLI::Validator between(Number low, Number high) {
  return CLI::Range(low, high).description("");  // the option's own text says it better
}

void add_mode(CLI::App* command, demo::Settings& settings) {
  const auto set = [&settings](const std::string& name) {
    const auto mode = mode_from(name);
    if (!mode) {
      throw CLI::ValidationError("--mode", fmt::format("'{}' is not saga, tcc, xa or msg", name));
    }
    settings.mode = *mode;
  };
  command
      ->add_option_function<std::string>("--mode", set,
                                         "what a transfer is: saga (default), tcc, xa or msg")
      ->type_name("MODE");
}

void add_options(CLI::App* command, DemoOptions& options) {
  auto& settings = options.settings;
  add_mode(command, settings);
  command->add_option("--transfers", settings.transfers, "the file of transfers")
      ->type_name("FILE.csv");
  command
      ->add_option("--first", options.first,
                   "only so many of the file's transfers; default: all, with xa 2000")
      ->type_name("N")
      ->check(CLI::PositiveNumber.description(""));
  command
      ->add_option("--accounts", settings.accounts,
                   "accounts of each bank, numbered from 1; default: 2000, at most 1000000")
      ->type_name("N")
      ->check(between(std::int64_t{1}, kAccountsMax));
  command
      ->add_option("--dir", settings.files.directory,
                   "where the files are; default: a new temporary one, which is kept")
      ->type_name("DIR");
  command
      ->add_option("--in-flight", options.in_flight,
                   "transfers under way at a time; default: 256, at most 10000; xa: 32 and 64")
      ->type_name("N")
      ->check(between(std::size_t{1}, kInFlightMax));
  command
      ->add_option("--kill-at", options.kill_percent,
                   "kill the engine's process when so much is done, 1 to 99, and go on")
      ->type_name("PERCENT")
      ->check(between(1u, 99u));
  command
      ->add_option("--patience", options.patience_seconds,
                   "give up when nothing became final for so long; default: 30")
      ->type_name("SECONDS")
      ->check(between(std::int64_t{1}, std::int64_t{3600}));
  command->add_flag("--worker", options.worker)->group("");  // hidden: what --kill-at starts
}

// What was not given depends on the mode.
void complete(DemoOptions& options) {
  auto& settings = options.settings;
  const bool xa = settings.mode == Mode::xa;
  settings.files.servers = xa;
  settings.first = options.first.value_or(xa ? kXaTransfers : settings.first);
  settings.in_flight = options.in_flight.value_or(xa ? kXaInFlight : kInFlight);
  if (xa) settings.in_flight = std::min(settings.in_flight, kXaInFlightMax);
  settings.patience = std::chrono::seconds(options.patience_seconds);
}

}  // namespace

void add_demo(CLI::App& app, Context& context) {
  const auto options = std::make_shared<DemoOptions>();
  auto* command = add_command(app, "demo", "move money between two banks, and audit it", kDetails);
  add_json_option(command, context);
  add_options(command, *options);
  on_run(command, context, [&context, options] {
    complete(*options);
    return Demo(context, *options).run();
  });
}

}  // namespace belay::tool
