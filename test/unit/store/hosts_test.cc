// What rides along with batches: the called hosts' figures, realms of XA, and a write for its own
// sake.
#include <doctest/doctest.h>

#include <string>

#include "belay/saga.h"
#include "core/codec.h"
#include "support/encode.h"
#include "support/process.h"
#include "unit/store/story.h"
#include "unit/store/told.h"

using namespace belay;
using namespace belay::test;

namespace {

ports::Batch batch_of(std::vector<HostFigures> hosts) {
  ports::Batch batch;
  batch.hosts = std::move(hosts);
  return batch;
}

}  // namespace

TEST_SUITE("store/realms") {
  TEST_CASE("a file remembers every realm that an engine used") {
    const TempDir directory;
    const auto path = directory.file("state.db");
    const XaRealm bank{XaKind::mariadb, "bank", "bank"};
    const XaRealm shop{XaKind::mariadb, "shop", "stock"};
    const XaRealm stock{XaKind::postgresql, "shop", "stock"};
    ports::Batch batch;
    {
      const auto journal = open_journal(path);
      CHECK(open_reader(path).realms()->empty());
      batch.realms = {stock, bank};
      commit(*journal, batch);
      commit(*journal, batch);
    }
    const auto journal = open_journal(path);
    batch.realms = {shop};
    commit(*journal, batch);
    CHECK(*open_reader(path).realms() == std::vector<XaRealm>{bank, shop, stock});
  }
}

TEST_SUITE("store/hosts") {
  TEST_CASE("a reader sees the hosts as last written, the next engine forgets them") {
    const TempDir directory;
    const auto path = directory.file("state.db");
    std::vector<HostFigures> hosts = {{.host = "http://a \"b\"",
                                       .breaker = BreakerState::half_open,
                                       .in_flight = 0,
                                       .success = 4'000'000'000'000,
                                       .failure = 3,
                                       .ongoing = 4,
                                       .unknown = 5,
                                       .no_connection = 2,
                                       .breaker_opened = 6},
                                      {.host = "https://c", .breaker = BreakerState::open}};
    {
      const auto journal = open_journal(path);
      auto reader = open_reader(path);
      CHECK(reader.stats()->engine.hosts.empty());
      commit(*journal, batch_of({{.host = "https://old"}}));
      CHECK(reader.stats()->engine.hosts.size() == 1);
      commit(*journal, batch_of(hosts));
      CHECK(reader.stats()->engine.hosts == hosts);
      commit(*journal, ports::Batch{});
      CHECK(reader.stats()->engine.hosts == hosts);
    }
    CHECK(open_reader(path).stats()->engine.hosts == hosts);
    const auto journal = open_journal(path);
    CHECK(open_reader(path).stats()->engine.hosts.empty());
  }

  TEST_CASE("calls in flight count only while an engine has the file open") {
    const TempDir directory;
    const auto path = directory.file("state.db");
    {
      const auto journal = open_journal(path);
      commit(*journal, batch_of({{.host = "https://a", .in_flight = 7}}));
      CHECK(open_reader(path).stats()->engine.hosts.at(0).in_flight == 7);
    }
    CHECK(open_reader(path).stats()->engine.hosts.at(0).in_flight == 0);
  }

  TEST_CASE("a write for its own sake reaches the file") {
    const TempDir directory;
    const auto path = directory.file("state.db");
    const auto journal = open_journal(path);
    ports::Batch batch;
    batch.checked_at = 1'700'000'000'000;
    commit(*journal, batch);
    CHECK(query(path, "SELECT value FROM meta WHERE name = 'checked_at'") == "1700000000000");
  }

  TEST_CASE(
      "up to when the file has seen time, and what nobody saw, is there for the next engine") {
    const TempDir directory;
    const auto path = directory.file("state.db");
    const auto recovered = [&] {
      auto result = open_journal(path)->recover([](auto) {}, {});
      REQUIRE(result.has_value());
      return std::move(*result);
    };
    CHECK(recovered().seen_until == 0);
    CHECK(recovered().gaps.empty());
    ports::Batch batch;
    batch.checked_at = 1'700'000'000'000;
    batch.gaps = "1700000000000 864000000";
    commit(*open_journal(path), batch);
    CHECK(recovered().seen_until == 1'700'000'000'000);
    CHECK(recovered().gaps == "1700000000000 864000000");
    // What the log says counts as well.
    core::BatchWriter records;
    records.add({.kind = core::RecordKind::submitted,
                 .id = 1,
                 .at = 1'800'000'000'000,
                 .text = *encode(Saga("g").step("a", ""), "g")});
    ports::Batch newer;
    newer.lsn = 1;
    newer.records = records.take();
    commit(*open_journal(path), newer);
    CHECK(recovered().seen_until == 1'800'000'000'000);
  }

  TEST_CASE("a commit says how long it took, and its sync; without a clock it says nothing") {
    const TempDir directory;
    std::uint64_t now = 0;
    store::JournalConfig config;
    config.path = directory.file("state.db");
    config.now_us = [&now] { return now += 10; };
    const auto journal = store::Journal::open(config);
    REQUIRE(journal.has_value());
    const auto figures = (*journal)->commit(batch_of({}));
    REQUIRE(figures.has_value());
    CHECK(figures->sync_us == 10);
    CHECK(figures->commit_us == 30);
    const auto without = open_journal(directory.file("other.db"));
    CHECK(without->commit(batch_of({}))->commit_us == 0);
  }
}
