// belay-bench measures throughput, latency and size. Each result is shown beside the floor that it
// cannot pass, and each run is verified.
//
//   saga, tcc, msg: transactions from the submit until they are final and durable; closed loop
//   (--in-flight) or open loop (--rate).
//
//   xa: the same with a row in a PostgreSQL and one in a MariaDB, both started for the run; the
//   floor is the same SQL without belay.
//
//   http: sagas whose branches are URLs of a service in another process; the floor is the same
//   calls by a bare libcurl loop.
//
//   grpc: the same over gRPC; the floor is the same calls by a bare gRPC C++ client.
//
//   With --serve the sagas of http and grpc are submitted to `belay serve`, a third process, or to
//   another server with dtm's protocol.
//
//   recovery: a process with many unfinished transactions is killed; the reopen is timed.
//
//   memory: many live transactions at rest; measures what each costs in addition to its payload.
//
//   floor: bare SQLite that appends batches of one size, with the same durability.
//
// Results do not include the warm-up: the first tenth, at most a second. Every run checks that each
// transaction became final, that each handler was called exactly as often as necessary, and that
// the file agrees. Exit codes: 0 done and verified, 1 failed or not verified, 2 usage.
#include <CLI/CLI.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "figures.h"
#include "http_service.h"
#include "settings.h"
#include "workloads.h"

namespace {

using belay::bench::Figures;
using belay::bench::Settings;
using belay::bench::Unfinished;

constexpr double kLongSeconds = 600, kLongIntervalSeconds = 10, kLongRetentionSeconds = 30;
// the servers are set up for this many
constexpr std::uint32_t kXaInFlight = 8, kXaInFlightMax = 64;

void add_common(CLI::App& app, Settings& settings) {
  app.add_option("--dir", settings.dir,
                 "where to put the files, in a fresh directory; else TMPDIR or /var/tmp");
  app.add_flag("--keep", settings.keep, "leave the files there");
  app.add_flag("--json", settings.json, "one JSON object instead of a table");
}

void add_branches(CLI::App& app, Settings& settings) {
  app.add_option("--branches", settings.branches, "branches of each; a msg's targets")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
}

void add_shape(CLI::App& app, Settings& settings) {
  app.add_option("--payload", settings.payload_bytes, "bytes of each branch")
      ->check(CLI::Range(0, 1024 * 1024))
      ->capture_default_str();
  app.add_option("--seed", settings.seed, "which ones fail")->capture_default_str();
}

// Adds the options of a load except the number in flight, which some kinds restrict.
CLI::App* add_any_load(CLI::App& app, Settings& settings, const std::string& name,
                       const std::string& what) {
  auto* load = app.add_subcommand(name, what);
  add_common(*load, settings);
  add_shape(*load, settings);
  auto* seconds = load->add_option("--seconds", settings.seconds, "how long")
                      ->check(CLI::Range(0.05, 86'400.0))
                      ->capture_default_str();
  load->add_option("--transactions", settings.transactions, "how many, instead of how long")
      ->check(CLI::Range(1, 1'000'000'000))
      ->excludes(seconds);
  const std::map<std::string, belay::History> histories{{"all", belay::History::all},
                                                        {"failed", belay::History::failed},
                                                        {"none", belay::History::none}};
  load->add_option("--history", settings.history, "which finished ones are kept; all by default")
      ->transform(CLI::CheckedTransformer(histories))
      ->option_text("all|failed|none");
  load->add_option("--retention", settings.retention_s,
                   "seconds that finished ones are kept; else the engine's default")
      ->check(CLI::Range(0.0, 1e9));
  load->add_option("--fail", settings.fail_percent,
                   "percent that fail: their last branch says no, a msg is aborted")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  load->add_option("--interval", settings.interval_s, "a line every so many seconds")
      ->check(CLI::Range(0.05, 86'400.0));
  auto* is_long = load->add_flag("--long")->description(
      fmt::format("{} s, a line every {} s, a retention of {} s", kLongSeconds,
                  kLongIntervalSeconds, kLongRetentionSeconds));
  load->callback([&settings, is_long, seconds] {
    const bool asked = is_long->count() > 0;
    if (asked && seconds->count() == 0) settings.seconds = kLongSeconds;
    if (asked && settings.retention_s < 0) settings.retention_s = kLongRetentionSeconds;
    const bool lasts = settings.transactions == 0 && settings.seconds >= kLongSeconds;
    if ((asked || lasts) && settings.interval_s <= 0) settings.interval_s = kLongIntervalSeconds;
  });
  return load;
}

CLI::App* add_load(CLI::App& app, Settings& settings, const std::string& name,
                   const std::string& what) {
  auto* load = add_any_load(app, settings, name, what);
  add_branches(*load, settings);
  auto* in_flight =
      load->add_option("--in-flight", settings.in_flight, "closed loop: so many at a time")
          ->check(CLI::Range(1, 1'000'000))
          ->capture_default_str();
  load->add_option("--rate", settings.rate, "open loop: so many due a second")
      ->check(CLI::Range(0.1, 1e7))
      ->excludes(in_flight);
  return load;
}

CLI::App* add_saga(CLI::App& app, Settings& settings) {
  return add_load(app, settings, "saga", "sagas from submit to final and durable");
}

CLI::App* add_tcc(CLI::App& app, Settings& settings) {
  auto* tcc = add_load(app, settings, "tcc", "try, confirm, cancel; all tries at once");
  tcc->add_flag("--driven", settings.driven,
                "branch by branch, by the client's callbacks, instead of declared");
  return tcc;
}

CLI::App* add_msg(CLI::App& app, Settings& settings) {
  auto* msg = add_load(app, settings, "msg", "messages, until delivered to every target");
  auto* prepared = msg->add_flag("--prepared", settings.prepared, "prepared, then submitted");
  msg->add_flag("--topic", settings.topic, "the targets are a topic's subscribers");
  msg->get_option("--fail")->needs(prepared);
  return msg;
}

CLI::App* add_xa(CLI::App& app, Settings& settings) {
  auto* xa = add_any_load(app, settings, "xa", "a row in a PostgreSQL and one in a MariaDB");
  xa->add_option("--in-flight", settings.in_flight,
                 "so many at a time, each with a connection to either database")
      ->check(CLI::Range(1U, kXaInFlightMax))
      ->default_str(std::to_string(kXaInFlight));
  xa->preparse_callback([&settings](std::size_t) { settings.in_flight = kXaInFlight; });
  return xa;
}

// The hidden subcommand that workload http starts.
CLI::App* add_http_service(CLI::App& app, belay::bench::ServiceSettings& settings) {
  auto* service = app.add_subcommand(belay::bench::kServiceCommand)->group("");
  service->add_option("branches", settings.branches)->required();
  service->add_option("payload", settings.payload_bytes)->required();
  return service;
}

// The branches are calls of another process, and the sagas may go through a server.
CLI::App* add_called(CLI::App& app, Settings& settings, const std::string& name,
                     const std::string& what) {
  auto* called = add_load(app, settings, name, what);
  called->add_option("--calls-per-host", settings.calls_per_host, "calls under way at a time")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  auto* serve =
      called->add_flag("--serve", settings.serve, "through `belay serve`, a third process");
  for (const char* other :
       {"--in-flight", "--rate", "--interval", "--long", "--history", "--retention"}) {
    serve->excludes(called->get_option(other));
  }
  called
      ->add_option("--connections", settings.connections,
                   "with --serve: so many, each with a saga at a time")
      ->needs(serve)
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  auto* program =
      called->add_option("--belay", settings.belay_program, "with --serve: the program that serves")
          ->needs(serve);
  called
      ->add_option("--port", settings.server_port,
                   "with --serve: a server with dtm's protocol that runs already, on 127.0.0.1; "
                   "its file is not verified")
      ->needs(serve)
      ->excludes(program)
      ->check(CLI::Range(1, 65535));
  return called;
}

CLI::App* add_crowd(CLI::App& app, Settings& settings, const std::string& name,
                    const std::string& what) {
  auto* command = app.add_subcommand(name, what);
  add_common(*command, settings);
  add_branches(*command, settings);
  add_shape(*command, settings);
  command->add_option("--transactions", settings.transactions, "how many; else 1,000,000")
      ->check(CLI::Range(1, 100'000'000));
  const std::map<std::string, Unfinished> kinds{{"ongoing", Unfinished::ongoing},
                                                {"parked", Unfinished::parked},
                                                {"delayed", Unfinished::delayed}};
  command
      ->add_option("--unfinished", settings.unfinished,
                   "why they are not finished: the last branch is ongoing, it is parked for want "
                   "of a handler, or "
                   "the first one is delayed")
      ->transform(CLI::CheckedTransformer(kinds))
      ->option_text("ongoing|parked|delayed");
  return command;
}

CLI::App* add_floor(CLI::App& app, Settings& settings) {
  auto* floor = app.add_subcommand("floor", "bare SQLite appending batches of a size, as durably");
  add_common(*floor, settings);
  floor->add_option("--batch-bytes", settings.batch_bytes, "bytes of one commit")
      ->check(CLI::Range(1, 64 * 1024 * 1024))
      ->capture_default_str();
  floor->add_option("--seconds", settings.seconds, "how long")
      ->check(CLI::Range(0.05, 86'400.0))
      ->capture_default_str();
  return floor;
}

int finish(const belay::Result<Figures>& result, const Settings& settings) {
  if (!result) {
    const auto& error = result.error();
    fmt::print(stderr, "belay-bench: {}: {}\n", belay::name_of(error.code), error.detail);
    return 1;
  }
  if (settings.json)
    fmt::print("{}\n", belay::bench::to_json(*result).dump());
  else
    belay::bench::print_table(*result);
  constexpr std::size_t kShownMax = 20;  // the rest is in the JSON
  for (std::size_t i = 0; i < std::min(kShownMax, result->problems.size()); ++i) {
    fmt::print(stderr, "belay-bench: {}\n", result->problems[i]);
  }
  return result->problems.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app(
      "belay-bench: how fast, how late and how large, beside the floor; every run is verified");
  app.require_subcommand(1);
  namespace bench = belay::bench;
  struct Load {
    const CLI::App* command;
    std::unique_ptr<bench::Workload> (*make)(const Settings&);
    belay::Result<Figures> (*run_served)(const Settings&) = nullptr;
  };
  const std::vector<Load> loads = {
      {add_saga(app, settings), &bench::make_saga},
      {add_tcc(app, settings), &bench::make_tcc},
      {add_msg(app, settings), &bench::make_msg},
      {add_xa(app, settings), &bench::make_xa},
      {add_called(app, settings, "http", "sagas whose branches are URLs of another process"),
       &bench::make_http, &bench::run_http_served},
      {add_called(app, settings, "grpc", "sagas whose branches are gRPC methods of another one"),
       &bench::make_grpc, &bench::run_grpc_served}};
  belay::bench::ServiceSettings service;
  const auto* http_service = add_http_service(app, service);
  const auto* recovery = add_crowd(app, settings, "recovery",
                                   "reopen a file with unfinished transactions after a kill");
  const auto* memory =
      add_crowd(app, settings, "memory", "what a live transaction costs beside its payload");
  const auto* floor = add_floor(app, settings);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (http_service->parsed()) return belay::bench::serve_branches(service);
  for (const auto& load : loads) {
    if (!load.command->parsed()) continue;
    if (settings.serve) return finish(load.run_served(settings), settings);
    return finish(bench::run_load(settings, *load.make(settings)), settings);
  }
  if (floor->parsed()) return finish(belay::bench::run_floor(settings), settings);
  if (settings.transactions == 0) settings.transactions = 1'000'000;
  if (memory->parsed()) return finish(belay::bench::run_memory(settings), settings);
  if (recovery->get_option("--unfinished")->count() == 0) settings.unfinished = Unfinished::parked;
  return finish(belay::bench::run_recovery(settings), settings);
}
