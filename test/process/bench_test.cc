// The bench at its smallest, as a person would run it: every workload and option does its work,
// verifies it and says the promised figures. How large the figures are is nobody's business here.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "belay/features.h"
#include "histogram.h"
#include "support/process.h"
#include "support/sanitized.h"
#if BELAY_TEST_SERVES
#include "process/served.h"
#endif

namespace {

using belay::test::Finished;
using Words = std::vector<std::string>;

std::string joined(const Words& words) {
  std::string line;
  for (const auto& word : words) line.append(" ").append(word);
  return line;
}

Finished bench(const Words& words) {
  const char* program = std::getenv("BELAY_BENCH");
  REQUIRE_MESSAGE(program != nullptr, "BELAY_BENCH names the program to test");
  const belay::test::TempDir dir;
  // The database servers of root run as somebody else, who must be able to go through here.
  std::filesystem::permissions(dir.path(), std::filesystem::perms::others_exec,
                               std::filesystem::perm_options::add);
  belay::test::Spawn spawn;
  spawn.argv = {program};
  spawn.argv.insert(spawn.argv.end(), words.begin(), words.end());
  spawn.env = {{"TMPDIR", dir.path()}};
  spawn.limit = std::chrono::seconds(120);
  return belay::test::run(spawn);
}

// The one object that a run with --json prints. Every run must be verified and have every promised
// key.
nlohmann::json figures(Words words) {
  words.push_back("--json");
  const Finished run = bench(words);
  CAPTURE(run.err);
  CHECK(run.err.empty());
  REQUIRE(run.exit_code == 0);
  REQUIRE(std::count(run.out.begin(), run.out.end(), '\n') == 1);
  const auto json = nlohmann::json::parse(run.out, nullptr, false);
  REQUIRE(json.is_object());
  for (const std::string key :
       {"tps", "p50_us", "p95_us", "p99_us", "p999_us", "max_us", "floor_tps", "ratio",
        "commits_per_s", "bytes_per_txn", "cpu_seconds", "rss_bytes", "live_bytes_per_txn", "seed",
        "machine", "settings", "result_hash", "verified", "problems"}) {
    CAPTURE(key);
    CHECK(json.contains(key));
  }
  CHECK(json["verified"] == true);
  CHECK(json["problems"].empty());
  CHECK(json["tps"].is_number());
  CHECK(json["tps"] > 0);
  return json;
}

// A sanitizer's allocator does not say what it handed out.
constexpr bool kMemoryIsKnown = !belay::test::kSanitized;

void check_load(const nlohmann::json& json) {
  for (const std::string key :
       {"p50_us", "p99_us", "max_us", "floor_tps", "ratio", "commits_per_s", "bytes_per_txn"}) {
    CAPTURE(key);
    REQUIRE(json[key].is_number());
    CHECK(json[key] > 0);
  }
  CHECK(json["p50_us"] <= json["p95_us"]);
  CHECK(json["p95_us"] <= json["p99_us"]);
  CHECK(json["p99_us"] <= json["p999_us"]);
  CHECK(json["p999_us"] <= json["max_us"]);
  const auto answered = json["succeeded"].get<std::uint64_t>() +
                        json["failed"].get<std::uint64_t>() + json["refused"].get<std::uint64_t>();
  CHECK(json["transactions"] == answered);
}

void check_saga(const nlohmann::json& json) {
  check_load(json);
  REQUIRE(json["live_bytes_per_txn"].is_number());
  if (kMemoryIsKnown) CHECK(json["live_bytes_per_txn"] > 0);
}

// The branches are calls of another process.
[[maybe_unused]] void check_called(const std::string& workload) {
  const std::vector<Words> runs = {
      {"--transactions", "300"},
      {"--seconds", "0.3", "--in-flight", "16", "--calls-per-host", "4"},
      {"--transactions", "200", "--branches", "3", "--payload", "0", "--fail", "30"},
      {"--rate", "300", "--transactions", "100", "--payload", "20000"},
  };
  for (Words words : runs) {
    words.insert(words.begin(), workload);
    CAPTURE(joined(words));
    const auto json = figures(words);
    check_load(json);
    const bool fails = json["settings"]["fail_percent"] > 0;
    CHECK((json["failed"] > 0) == fails);
    CHECK(json["settings"]["calls_per_host"].is_number());
  }
}

}  // namespace

TEST_SUITE("process/bench") {
  TEST_CASE("a closed loop of any depth, width and history is verified and has its floor") {
    const std::vector<Words> runs = {
        {"--seconds", "0.3"},
        {"--transactions", "300", "--in-flight", "1"},
        {"--transactions", "2000", "--in-flight", "64", "--history", "failed", "--fail", "20"},
        {"--transactions", "2000", "--history", "none"},
        {"--transactions", "500", "--branches", "1", "--payload", "0"},
        {"--transactions", "500", "--branches", "7", "--payload", "5000", "--fail", "100"},
        {"--seconds", "0.3", "--history", "all", "--retention", "5", "--fail", "0.5"},
    };
    for (Words words : runs) {
      CAPTURE(joined(words));
      words.insert(words.begin(), "saga");
      check_saga(figures(words));
    }
  }

  TEST_CASE("a tcc is verified, declared and driven, confirmed and cancelled") {
    const std::vector<Words> runs = {
        {"--transactions", "500"},
        {"--seconds", "0.3", "--branches", "1"},
        {"--transactions", "500", "--fail", "30", "--branches", "3", "--payload", "0"},
        {"--transactions", "300", "--history", "failed", "--fail", "30", "--in-flight", "1"},
    };
    for (const Words& run : runs) {
      for (const bool driven : {false, true}) {
        Words words = run;
        words.insert(words.begin(), "tcc");
        if (driven) words.push_back("--driven");
        CAPTURE(joined(words));
        const auto json = figures(words);
        check_load(json);
        CHECK(json["settings"]["driven"] == driven);
        const bool fails = json["settings"]["fail_percent"] > 0;
        CHECK((json["failed"] > 0) == fails);
      }
    }
  }

  TEST_CASE("a message is verified: at once or prepared, to names or by a topic") {
    const std::vector<Words> runs = {
        {"--transactions", "500"},
        {"--transactions", "500", "--branches", "3", "--history", "none"},
        {"--seconds", "0.3", "--topic"},
        {"--transactions", "500", "--prepared", "--fail", "30"},
        {"--transactions", "300", "--prepared", "--topic", "--fail", "30", "--in-flight", "1"},
    };
    for (Words words : runs) {
      words.insert(words.begin(), "msg");
      CAPTURE(joined(words));
      const auto json = figures(words);
      check_load(json);
      const bool fails = json["settings"]["fail_percent"] > 0;
      CHECK((json["failed"] > 0) == fails);
    }
    check_load(figures({"msg", "--rate", "2000", "--seconds", "0.3", "--prepared"}));
  }

  TEST_CASE(
      "xa between two databases is verified and has the same SQL without belay as its floor") {
    const auto json = figures(
        {"xa", "--transactions", "40", "--in-flight", "4", "--fail", "20", "--payload", "20"});
    check_load(json);
    CHECK(json["succeeded"] > 0);
    CHECK(json["failed"] > 0);
    CHECK(json["floor_commits_per_s"].is_null());
  }

#if BELAY_HAS_HOOKS
  TEST_CASE("branches that are URLs are verified and have a bare libcurl loop as their floor") {
    check_called("http");
  }
#endif

#if BELAY_TEST_CALLS_GRPC
  TEST_CASE("branches over gRPC are verified and have a bare gRPC C++ client as their floor") {
    check_called("grpc");
    const auto table = bench({"grpc", "--transactions", "100"});
    CHECK(table.exit_code == 0);
    CHECK(table.out.find("of the same calls by a bare gRPC C++ client") != std::string::npos);
  }
#else
  TEST_CASE("a bench without gRPC says what it was built without") {
    const auto run = bench({"grpc", "--transactions", "10"});
    CHECK(run.exit_code == 1);
    CHECK(run.err.find("libgrpc++-dev") != std::string::npos);
  }
#endif

#if BELAY_TEST_SERVES
  TEST_CASE("sagas through belay serve are verified and have the same floor") {
    const char* program = std::getenv("BELAY_PROGRAM");
    REQUIRE_MESSAGE(program != nullptr, "BELAY_PROGRAM names the program that serves");
    Words workloads = {"http"};
    if (BELAY_TEST_CALLS_GRPC) workloads.emplace_back("grpc");
    for (const auto& workload : workloads) {
      for (Words words : {Words{"--transactions", "200"},
                          Words{"--seconds", "0.3", "--connections", "4", "--fail", "20"}}) {
        words.insert(words.begin(), {workload, "--serve", "--belay", program});
        CAPTURE(joined(words));
        const auto json = figures(words);
        CHECK(json["floor_tps"] > 0);
        CHECK(json["ratio"] > 0);
        CHECK(json["p50_us"] <= json["p99_us"]);
        CHECK(json["p99_us"] > 0);
        CHECK(json["rss_bytes"] > 0);
        CHECK((json["failed"] > 0) == (json["settings"]["fail_percent"] > 0));
      }
    }
  }

  TEST_CASE("a server that runs already gets the load, and what it alone knows is not told") {
    const auto port = std::to_string(belay::test::free_port());
    belay::test::Served server({"--grpc-listen", "127.0.0.1:" + port});
    REQUIRE(server.listening());
    std::vector<Words> runs = {{"http", "--port", std::to_string(server.port())}};
    if (BELAY_TEST_CALLS_GRPC) runs.push_back({"grpc", "--port", port});
    for (auto& words : runs) {
      words.insert(words.end(), {"--serve", "--transactions", "200", "--fail", "10"});
      CAPTURE(joined(words));
      const auto json = figures(words);
      CHECK(json["settings"]["server_port"] == std::stoi(words[2]));
      CHECK(json["ratio"] > 0);
      CHECK(json["failed"] > 0);
      for (const auto* unknown : {"cpu_seconds", "cpu_us_per_txn", "rss_bytes", "file_bytes"})
        CHECK_MESSAGE(json[unknown].is_null(), unknown);
    }
    CHECK(server.stop().exit_code == 0);
  }

  TEST_CASE("a server that is not there is an error") {
    const auto http = bench({"http", "--serve", "--port", "1", "--transactions", "10"});
    CHECK(http.exit_code == 1);
    CHECK(http.err.find("cannot connect to the server") != std::string::npos);
    if (BELAY_TEST_CALLS_GRPC) {
      const auto run = bench({"grpc", "--serve", "--port", "1", "--transactions", "10"});
      CHECK(run.exit_code == 1);
      CHECK(run.err.find("the server answered status 14") != std::string::npos);
    }
  }
#endif

  TEST_CASE("an open loop submits what is due and counts its latency from then") {
    const auto json = figures({"saga", "--rate", "2000", "--seconds", "0.5", "--fail", "10"});
    check_saga(json);
    CHECK(json["transactions"] == 1000);
    const auto counted = figures({"saga", "--rate", "3000", "--transactions", "600"});
    CHECK(counted["transactions"] == 600);
  }

  TEST_CASE("one in flight is compared with three commits of the floor") {
    const auto one = figures({"saga", "--transactions", "200", "--in-flight", "1"});
    REQUIRE(one["p50_over_3_floor_commits"].is_number());
    CHECK(one["p50_over_3_floor_commits"] > 0);
    CHECK(one["p99_over_floor_commit"] > 0);
    CHECK(one["p99_over_p50"] >= 1);
    const auto many = figures({"saga", "--transactions", "200", "--in-flight", "8"});
    CHECK(many["p50_over_3_floor_commits"].is_null());
  }

  TEST_CASE("the same seed gives the same result and another seed another") {
    const Words words = {"saga", "--transactions", "1000", "--fail", "30", "--seed"};
    const auto with_seed = [&](const char* seed) {
      Words all = words;
      all.push_back(seed);
      return figures(all);
    };
    const auto first = with_seed("7"), again = with_seed("7"), other = with_seed("8");
    CHECK(first["result_hash"] == again["result_hash"]);
    CHECK(first["failed"] == again["failed"]);
    CHECK(first["result_hash"] != other["result_hash"]);
    CHECK(first["failed"] > 200);
    CHECK(first["failed"] < 400);
  }

  TEST_CASE("a long run tells its progress in intervals") {
    const auto json = figures({"saga", "--seconds", "0.6", "--interval", "0.1"});
    REQUIRE(json["intervals"].size() >= 3);
    for (const auto& interval : json["intervals"]) {
      CHECK(interval["tps"] > 0);
      CHECK(interval["p99_us"] > 0);
      CHECK(interval["log_bytes"].is_number());
      CHECK(interval["file_bytes"] > 0);
    }
    const auto table = bench({"saga", "--seconds", "0.4", "--interval", "0.1"});
    CHECK(table.exit_code == 0);
    CHECK(table.out.find("file MB") != std::string::npos);
  }

  TEST_CASE("what was parked when its process was killed comes back and goes on where it stood") {
    const auto json = figures({"recovery", "--transactions", "2000"});
    CHECK(json["transactions"] == 2000);
    CHECK(json["succeeded"] == 2000);
    CHECK(json["open_seconds"] > 0);
    CHECK(json["floor_tps"] > 0);
  }

  TEST_CASE("what was waiting or not yet due when its process was killed comes back") {
    for (const std::string unfinished : {"ongoing", "delayed"}) {
      CAPTURE(unfinished);
      const auto json = figures({"recovery", "--transactions", "2000", "--unfinished", unfinished});
      CHECK(json["transactions"] == 2000);
      CHECK(json["succeeded"] == 0);
    }
  }

  TEST_CASE("a live transaction's memory is measured in each of its kinds") {
    for (const std::string unfinished : {"ongoing", "parked", "delayed"}) {
      CAPTURE(unfinished);
      const auto json = figures(
          {"memory", "--transactions", "2000", "--unfinished", unfinished, "--branches", "3"});
      CHECK(json["transactions"] == 2000);
      CHECK(json["live_bytes_per_txn"].is_number());
      CHECK(json["heap_bytes_per_txn"].is_number());
    }
  }

  TEST_CASE("the floor stands alone") {
    const auto json = figures({"floor", "--seconds", "0.2", "--batch-bytes", "20000"});
    CHECK(json["bytes_per_commit"] == 20000);
    CHECK(json["ratio"] == 1.0);
    CHECK(json["p50_us"] > 0);
  }

  TEST_CASE("people get a table that says what was run and that it is right") {
    for (const Words& words :
         {Words{"saga", "--transactions", "200"}, Words{"tcc", "--transactions", "200", "--driven"},
          Words{"msg", "--transactions", "200", "--topic"},
          Words{"recovery", "--transactions", "200"}, Words{"memory", "--transactions", "200"},
          Words{"floor", "--seconds", "0.1"}}) {
      const auto run = bench(words);
      CAPTURE(run.out);
      CHECK(run.exit_code == 0);
      CHECK(run.out.starts_with(words.front() + ": "));
      CHECK(run.out.find("a second") != std::string::npos);
      CHECK(run.out.find("\n  verified\n") != std::string::npos);
    }
  }

  TEST_CASE("a wrong command line is a usage error and runs nothing") {
    for (const Words& words :
         {Words{}, Words{"sagas"}, Words{"saga", "--fail", "101"}, Words{"saga", "--branches", "0"},
          Words{"saga", "--rate", "5", "--in-flight", "2"}, Words{"saga", "--history", "some"},
          Words{"saga", "--seconds", "1", "--transactions", "5"}, Words{"floor", "--seconds"},
          Words{"saga", "--driven"}, Words{"tcc", "--topic"}, Words{"msg", "--fail", "5"},
          Words{"http", "--serve", "--rate", "5"}, Words{"http", "--connections", "5"},
          Words{"grpc", "--serve", "--belay", "x", "--port", "5"}, Words{"grpc", "--port", "5"},
          Words{"xa", "--rate", "5"}, Words{"xa", "--in-flight", "65"}}) {
      CAPTURE(joined(words));
      const auto run = bench(words);
      CHECK(run.exit_code == 2);
      CHECK_FALSE(run.err.empty());
    }
  }

  TEST_CASE("a run that cannot keep its files fails and says where") {
    const auto run = bench({"saga", "--transactions", "10", "--dir", "/proc/no-such-place"});
    CHECK(run.exit_code == 1);
    CHECK(run.err.find("/proc/no-such-place") != std::string::npos);
  }
}

TEST_SUITE("bench/histogram") {
  // Method: random values over eight powers of ten, each quantile compared with the sorted list's.
  TEST_CASE("every quantile is within one percent of the exact one") {
    std::mt19937_64 random(1);
    auto histogram = std::make_unique<belay::bench::Histogram>();
    std::vector<std::uint64_t> values;
    for (int i = 0; i < 20'000; ++i) {
      const auto value = (random() % 1'000'000'007) >> (random() % 27);
      values.push_back(value);
      histogram->record(value);
    }
    std::sort(values.begin(), values.end());
    CHECK(histogram->count() == values.size());
    CHECK(histogram->max() == values.back());
    for (int permille = 1; permille <= 1000; ++permille) {
      const double part = permille / 1000.0;
      const auto rank =
          static_cast<std::size_t>(static_cast<double>(values.size()) * part + 0.999999);
      const auto exact = static_cast<double>(values[std::max<std::size_t>(rank, 1) - 1]);
      CAPTURE(permille);
      CHECK(std::abs(static_cast<double>(histogram->quantile(part)) - exact) <= exact * 0.01);
    }
  }

  TEST_CASE("added histograms are one of all values") {
    auto low = std::make_unique<belay::bench::Histogram>();
    auto high = std::make_unique<belay::bench::Histogram>();
    for (std::uint64_t i = 0; i < 100; ++i) low->record(i), high->record(1000 + i);
    low->add(*high);
    CHECK(low->count() == 200);
    CHECK(low->max() == 1099);
    CHECK(low->quantile(0.5) == 99);
    CHECK(low->quantile(0.51) >= 1000);
    low->clear();
    CHECK(low->count() == 0);
    CHECK(low->quantile(0.99) == 0);
  }

  TEST_CASE("a value beyond the last bucket is counted there and kept as the maximum") {
    auto histogram = std::make_unique<belay::bench::Histogram>();
    histogram->record(UINT64_MAX);
    CHECK(histogram->count() == 1);
    CHECK(histogram->max() == UINT64_MAX);
    CHECK(histogram->quantile(1.0) > std::uint64_t{1} << 43);
  }
}
