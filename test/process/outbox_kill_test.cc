// Goal: an application's order and its submit happen both or neither, and the submit once,
// whichever process is killed at whatever moment. Method: an application and an engine work on one
// file; one of them is killed, again and again; in the end the orders in the file are held against
// the transactions. The submits have no gid, so that one that was carried out twice shows. The seed
// is printed; BELAY_KILL_SEED sets it.
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <csignal>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>

#include "belay/engine.h"
#include "support/process.h"
#include "support/random.h"

namespace belay::test {
namespace {

using std::chrono::milliseconds;

constexpr unsigned kKills = 30;
constexpr unsigned kRunMillisMax = 150;
constexpr milliseconds kReadyMax{20'000};

std::uint64_t chosen_seed() {
  const char* text = std::getenv("BELAY_KILL_SEED");
  return text == nullptr ? 20261130 : std::strtoull(text, nullptr, 10);
}

// An order's number → in how many transactions it is; the orders themselves count -1.
struct Books {
  std::size_t orders = 0;
  std::size_t missing = 0;  // without a transaction
  std::size_t surplus = 0;  // transactions beyond one an order
  std::size_t unfinished = 0;
};

Books read_books(const std::string& file) {
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open_v2(file.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK);
  const auto numbers = [&](const char* sql) {
    std::map<std::string, std::size_t> counts;
    sqlite3_stmt* statement = nullptr;
    REQUIRE(sqlite3_prepare_v2(database, sql, -1, &statement, nullptr) == SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW)
      ++counts[reinterpret_cast<const char*>(sqlite3_column_text(statement, 0))];
    sqlite3_finalize(statement);
    return counts;
  };
  const auto orders = numbers("SELECT id FROM orders");
  const auto done = numbers(
      "SELECT json_extract(definition, '$.steps[0][2]') FROM transactions WHERE status = "
      "'succeed'");
  Books books{.orders = orders.size()};
  books.unfinished = numbers("SELECT id FROM transactions WHERE status != 'succeed'").size();
  for (const auto& [order, count] : orders) books.missing += done.contains(order) ? 0 : 1;
  for (const auto& [order, count] : done) books.surplus += count - (orders.contains(order) ? 1 : 0);
  sqlite3_close(database);
  return books;
}

struct Scene {
  Random random{chosen_seed()};
  TempDir dir;
  std::string file = dir.file("shop.db");
  std::unique_ptr<Process> engine;
  std::unique_ptr<Process> shop;

  std::unique_ptr<Process> start(const char* mode) const {
    const char* driver = std::getenv("BELAY_OUTBOX_DRIVER");
    REQUIRE(driver != nullptr);
    auto process = std::make_unique<Process>(
        Spawn{.argv = {driver, file, mode}, .limit = milliseconds(600'000)});
    CHECK(process->wait_for_output("ready\n", kReadyMax));
    return process;
  }
  void kill(std::unique_ptr<Process>& process) {
    process->kill(SIGKILL);
    const auto finished = process->wait();
    CHECK_MESSAGE(finished.signal == SIGKILL, finished.out);
  }
  // Kills one of the two, or both.
  void run(const char* shop_mode) {
    {
      auto empty = Engine::open(file);
      REQUIRE(empty.has_value());
    }
    sqlite3* database = nullptr;
    REQUIRE(sqlite3_open_v2(file.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK);
    REQUIRE(sqlite3_exec(database, "CREATE TABLE orders(id INTEGER PRIMARY KEY AUTOINCREMENT)",
                         nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(database);
    for (unsigned i = 0; i < kKills; ++i) {
      if (!engine) engine = start("engine");
      if (!shop) shop = start(shop_mode);
      engine->wait_for_output("never said", milliseconds(random.below(kRunMillisMax)));
      const auto which = random.below(3);
      if (which != 0) kill(engine), engine.reset();
      if (which != 1) kill(shop), shop.reset();
    }
    if (engine) kill(engine);
    if (shop) kill(shop);
    const auto drained = start("drain")->wait();
    CHECK_MESSAGE(drained.exit_code == 0, drained.out);
  }
};

}  // namespace

TEST_SUITE("process/outbox") {
  TEST_CASE("an order and its submit happen both or neither, and once, whoever is killed") {
    MESSAGE("seed " << chosen_seed());
    Scene scene;
    scene.run("shop");
    const auto books = read_books(scene.file);
    CHECK(books.orders > kKills);
    CHECK(books.missing == 0);
    CHECK(books.surplus == 0);
    CHECK(books.unfinished == 0);
  }

  TEST_CASE("control: with two transactions instead of one an order without its submit shows") {
    Scene scene;
    std::size_t missing = 0;
    for (int attempt = 0; attempt < 5 && missing == 0; ++attempt) {
      scene.file = scene.dir.file("shop" + std::to_string(attempt) + ".db");
      scene.engine.reset();
      scene.shop.reset();
      scene.run("lie");
      missing = read_books(scene.file).missing;
    }
    CHECK(missing > 0);
  }
}

}  // namespace belay::test
