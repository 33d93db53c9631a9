#include "figures.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

namespace belay::bench {
namespace {

using Json = nlohmann::ordered_json;

std::string_view name_of(History history) {
  switch (history) {
    case History::all: return "all";
    case History::failed: return "failed";
    case History::none: return "none";
  }
  return "";
}

std::string_view name_of(Unfinished unfinished) {
  switch (unfinished) {
    case Unfinished::ongoing: return "ongoing";
    case Unfinished::parked: return "parked";
    case Unfinished::delayed: return "delayed";
  }
  return "";
}

bool is_load(const std::string& workload) {
  return workload == "saga" || workload == "tcc" || workload == "msg" || workload == "xa" ||
         workload == "http" || workload == "grpc";
}

template <class Number>
Json maybe(const std::optional<Number>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json settings_json(const Settings& settings, const std::string& workload) {
  Json json;
  json["branches"] = settings.branches;
  json["payload"] = settings.payload_bytes;
  if (workload == "floor")
    return {{"batch_bytes", settings.batch_bytes}, {"seconds", settings.seconds}};
  if (!is_load(workload)) {
    json["unfinished"] = name_of(settings.unfinished);
    json["transactions"] = settings.transactions;
    return json;
  }
  if (settings.serve)
    json["in_flight"] = settings.connections;
  else if (settings.rate > 0)
    json["rate"] = settings.rate;
  else
    json["in_flight"] = settings.in_flight;
  if (settings.transactions > 0)
    json["transactions"] = settings.transactions;
  else
    json["seconds"] = settings.seconds;
  json["history"] = name_of(settings.history);
  json["retention_s"] = settings.retention_s >= 0 ? Json(settings.retention_s) : Json(nullptr);
  json["fail_percent"] = settings.fail_percent;
  if (workload == "tcc") json["driven"] = settings.driven;
  if (workload == "http" || workload == "grpc") {
    json["serve"] = settings.serve;
    json["connections"] = settings.serve ? Json(settings.connections) : Json(nullptr);
    json["server_port"] = settings.server_port > 0 ? Json(settings.server_port) : Json(nullptr);
    json["calls_per_host"] = settings.calls_per_host;
  }
  if (workload == "msg") {
    json["prepared"] = settings.prepared;
    json["topic"] = settings.topic;
  }
  return json;
}

Json machine_json(const Machine& machine) {
  return {{"cpu", machine.cpu},
          {"cores", machine.cores},
          {"memory_bytes", machine.memory_bytes},
          {"system", machine.system},
          {"filesystem", machine.filesystem},
          {"compiler", machine.compiler},
          {"optimised", machine.optimised},
          {"sqlite", machine.sqlite},
          {"belay", machine.belay}};
}

Json intervals_json(const std::vector<Interval>& intervals) {
  Json list = Json::array();
  for (const auto& one : intervals) {
    list.push_back({{"until_s", one.until_s},
                    {"tps", one.tps},
                    {"p50_us", one.p50_us},
                    {"p99_us", one.p99_us},
                    {"max_us", one.max_us},
                    {"log_bytes", one.log_bytes},
                    {"file_bytes", one.file_bytes},
                    {"wal_bytes", one.wal_bytes},
                    {"rss_bytes", one.rss_bytes}});
  }
  return list;
}

// Formats 1234567.8 as "1,234,568"; small numbers keep two digits after the point.
std::string figure(double value) {
  if (value < 100) return fmt::format("{:.2f}", value);
  std::string digits = fmt::format("{:.0f}", value);
  for (auto at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ',');
  return digits;
}

void line(std::string_view what, const std::optional<double>& value, std::string_view unit) {
  if (value) fmt::print("  {:<30} {:>14}  {}\n", what, figure(*value), unit);
}

void line_of_mb(std::string_view what, const std::optional<std::uint64_t>& bytes) {
  if (bytes) line(what, static_cast<double>(*bytes) / 1e6, "MB");
}

std::string headline(const Figures& figures) {
  const auto& asked = figures.settings;
  if (figures.workload == "floor")
    return fmt::format("floor: {} bytes a commit", asked.batch_bytes);
  std::string text = fmt::format("{}: {} branches of {} bytes", figures.workload, asked.branches,
                                 asked.payload_bytes);
  if (!is_load(figures.workload)) return text + fmt::format(", {}", name_of(asked.unfinished));
  if (asked.driven) text += ", driven";
  if (asked.prepared) text += ", prepared first";
  if (asked.topic) text += ", by a topic";
  if (asked.server_port > 0)
    text += fmt::format(", through the server at port {}", asked.server_port);
  else if (asked.serve)
    text += ", through belay serve";
  text += asked.serve      ? fmt::format(", {} connections", asked.connections)
          : asked.rate > 0 ? fmt::format(", {:.0f} due a second", asked.rate)
                           : fmt::format(", {} in flight", asked.in_flight);
  text += fmt::format(", history {}", name_of(asked.history));
  if (asked.fail_percent > 0) text += fmt::format(", {:g} % fail", asked.fail_percent);
  return text;
}

void print_latencies(const Figures& figures) {
  line("latency p50", figures.p50_us, "us");
  line("latency p95", figures.p95_us, "us");
  line("latency p99", figures.p99_us, "us");
  line("latency p99.9", figures.p999_us, "us");
  line("latency max", figures.max_us, "us");
  line("p99 over p50", figures.p99_over_p50, "");
}

void print_costs(const Figures& figures) {
  line("floor", figures.floor_tps, "a second: " + figures.floor_what);
  line("ratio to the floor", figures.ratio, "");
  line("floor commits", figures.floor_commits_per_s, "a second");
  line("floor commit p50", figures.floor_commit_p50_us, "us");
  line("p50 over three floor commits", figures.p50_over_3_floor_commits, "");
  line("p99 over a floor commit's p50", figures.p99_over_floor_commit, "");
  line("commits", figures.commits_per_s, "a second");
  line("bytes a commit, log and rows", figures.bytes_per_commit, "");
  line("bytes a transaction, log and rows", figures.bytes_per_txn, "");
  line("storage bytes a transaction", figures.storage_bytes_per_txn, "as the system counts them");
  line("CPU", figures.cpu_seconds, "s in the measured time");
  line("CPU a transaction", figures.cpu_us_per_txn, "us");
  line_of_mb("resident memory", figures.rss_bytes);
  line("memory a live transaction", figures.live_bytes_per_txn, "bytes beside its payload");
  line("heap a live transaction", figures.heap_bytes_per_txn, "bytes beside its payload");
  line_of_mb("file", figures.file_bytes);
  line_of_mb("write-ahead log", figures.wal_bytes);
}

}  // namespace

void Figures::take_latencies(const Histogram& latencies) {
  const auto us = [](std::uint64_t ns) { return static_cast<double>(ns) / 1e3; };
  p50_us = us(latencies.quantile(0.5));
  p95_us = us(latencies.quantile(0.95));
  p99_us = us(latencies.quantile(0.99));
  p999_us = us(latencies.quantile(0.999));
  max_us = us(latencies.max());
  if (*p50_us > 0) p99_over_p50 = *p99_us / *p50_us;
}

void Figures::take_floor(double transactions_per_s) {
  floor_tps = transactions_per_s;
  if (transactions_per_s > 0) ratio = tps / transactions_per_s;
}

double floor_seconds(const Figures& figures) {
  constexpr double kMin = 0.2, kMax = 5;
  return std::clamp(figures.measured_seconds / 2, kMin, kMax);
}

Json to_json(const Figures& figures) {
  Json json;
  json["workload"] = figures.workload;
  json["tps"] = figures.tps;
  json["p50_us"] = maybe(figures.p50_us);
  json["p95_us"] = maybe(figures.p95_us);
  json["p99_us"] = maybe(figures.p99_us);
  json["p999_us"] = maybe(figures.p999_us);
  json["max_us"] = maybe(figures.max_us);
  json["p99_over_p50"] = maybe(figures.p99_over_p50);
  json["floor_tps"] = maybe(figures.floor_tps);
  json["ratio"] = maybe(figures.ratio);
  json["floor_commits_per_s"] = maybe(figures.floor_commits_per_s);
  json["floor_commit_p50_us"] = maybe(figures.floor_commit_p50_us);
  json["p50_over_3_floor_commits"] = maybe(figures.p50_over_3_floor_commits);
  json["p99_over_floor_commit"] = maybe(figures.p99_over_floor_commit);
  json["commits_per_s"] = maybe(figures.commits_per_s);
  json["bytes_per_commit"] = maybe(figures.bytes_per_commit);
  json["bytes_per_txn"] = maybe(figures.bytes_per_txn);
  json["storage_bytes_per_txn"] = maybe(figures.storage_bytes_per_txn);
  json["cpu_seconds"] = maybe(figures.cpu_seconds);
  json["cpu_us_per_txn"] = maybe(figures.cpu_us_per_txn);
  json["rss_bytes"] = maybe(figures.rss_bytes);
  json["live_bytes_per_txn"] = maybe(figures.live_bytes_per_txn);
  json["heap_bytes_per_txn"] = maybe(figures.heap_bytes_per_txn);
  json["measured_seconds"] = figures.measured_seconds;
  json["transactions"] = figures.transactions;
  json["succeeded"] = figures.succeeded;
  json["failed"] = figures.failed;
  json["refused"] = figures.refused;
  json["open_seconds"] = maybe(figures.open_seconds);
  json["resume_tps"] = maybe(figures.resume_tps);
  json["file_bytes"] = maybe(figures.file_bytes);
  json["wal_bytes"] = maybe(figures.wal_bytes);
  json["intervals"] = intervals_json(figures.intervals);
  json["seed"] = figures.settings.seed;
  json["settings"] = settings_json(figures.settings, figures.workload);
  json["machine"] = machine_json(figures.machine);
  json["result_hash"] = figures.result_hash;
  json["verified"] = figures.problems.empty();
  json["problems"] = figures.problems;
  return json;
}

void print_table(const Figures& figures) {
  const auto& machine = figures.machine;
  fmt::print("{}\n", headline(figures));
  fmt::print("  {}, {} cores, {}, {}, SQLite {}, {}{}\n\n", machine.cpu, machine.cores,
             machine.system, machine.filesystem, machine.sqlite, machine.compiler,
             machine.optimised ? "" : ", NOT OPTIMISED");
  line(figures.workload == "floor" ? "commits" : "transactions", figures.tps, "a second");
  print_latencies(figures);
  print_costs(figures);
  line("opened in", figures.open_seconds, "s");
  line("then run to the end", figures.resume_tps, "a second");
  fmt::print("\n  {} transactions: {} succeeded, {} failed, {} refused; seed {}, result {}\n",
             figures.transactions, figures.succeeded, figures.failed, figures.refused,
             figures.settings.seed, figures.result_hash);
  fmt::print("  {}\n", figures.problems.empty() ? "verified" : "NOT VERIFIED");
  std::fflush(stdout);
}

void print_interval_head() {
  fmt::print("{:>8} {:>10} {:>10} {:>10} {:>10} {:>9} {:>9} {:>9} {:>9}\n", "s", "a second",
             "p50 us", "p99 us", "max us", "log MB", "file MB", "wal MB", "rss MB");
}

void print_interval(const Interval& interval) {
  const auto mb = [](std::uint64_t bytes) { return static_cast<double>(bytes) / 1e6; };
  fmt::print(
      "{:>8.1f} {:>10.0f} {:>10.0f} {:>10.0f} {:>10.0f} {:>9.1f} {:>9.1f} {:>9.1f} {:>9.1f}\n",
      interval.until_s, interval.tps, interval.p50_us, interval.p99_us, interval.max_us,
      mb(interval.log_bytes), mb(interval.file_bytes), mb(interval.wal_bytes),
      mb(interval.rss_bytes));
  std::fflush(stdout);
}

}  // namespace belay::bench
