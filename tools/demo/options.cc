#include "demo/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>

namespace belay::demo {
namespace {

constexpr std::int64_t kAccountsMax = 1'000'000;
constexpr std::size_t kInFlightMax = 10'000;
constexpr std::size_t kInFlight = 256;
// Two servers take some milliseconds a transfer, and keep rows locked meanwhile.
constexpr std::size_t kXaInFlight = 32;
constexpr std::size_t kXaInFlightMax = 64;
constexpr std::size_t kXaTransfers = 2'000;

template <class Number>
CLI::Validator between(Number low, Number high) {
  return CLI::Range(low, high).description("");  // the option's own text says it better
}

void add_mode(CLI::App* command, Settings& settings) {
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

// What --kill-at and --http start.
void add_hidden_options(CLI::App* command, Options& options) {
  command->add_flag("--worker", options.worker)->group("");
  const auto set = [&options](const std::string& name) {
    options.bank = name == "a" ? BankId::a : BankId::b;
  };
  command->add_option_function<std::string>("--bank", set)->group("");
  command->add_option("--port", options.port)->group("");
}

}  // namespace

void add_options(CLI::App* command, Options& options) {
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
  command->add_flag("--http", settings.http,
                    "the banks are HTTP services, the branches URLs; not with --mode xa");
  add_hidden_options(command, options);
}

void complete(Options& options) {
  auto& settings = options.settings;
  const bool xa = settings.mode == Mode::xa;
  settings.files.servers = xa;
  settings.first = options.first.value_or(xa ? kXaTransfers : settings.first);
  settings.in_flight = options.in_flight.value_or(xa ? kXaInFlight : kInFlight);
  if (xa) settings.in_flight = std::min(settings.in_flight, kXaInFlightMax);
  settings.patience = std::chrono::seconds(options.patience_seconds);
}

}  // namespace belay::demo
