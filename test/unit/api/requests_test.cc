// Requests of other programs, on a real file: by SQL, by the outbox, and by the class for
// operators.
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

#include "belay/belay.h"
#include "support/process.h"

namespace belay::test {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds kPatience{20};

bool comes_true(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < end) {
    if (condition()) return true;
    std::this_thread::yield();
  }
  return condition();
}

// An application's own connection.
class Shop {
 public:
  explicit Shop(const std::string& path) {
    REQUIRE(sqlite3_open_v2(path.c_str(), &database_, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK);
    sqlite3_busy_timeout(database_, 5'000);
  }
  ~Shop() { sqlite3_close(database_); }
  Shop(const Shop&) = delete;
  Shop& operator=(const Shop&) = delete;

  sqlite3* handle() { return database_; }
  void run(const std::string& sql) {
    CAPTURE(sql);
    REQUIRE_MESSAGE(sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK,
                    sqlite3_errmsg(database_));
  }
  // The first column of the first row.
  std::string text(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    REQUIRE(sqlite3_prepare_v2(database_, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK);
    std::string value;
    if (sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_text(statement, 0) != nullptr)
      value = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return value;
  }
  std::string answer_to(std::int64_t id) {
    return text("SELECT answer FROM belay_requests WHERE id = " + std::to_string(id));
  }

 private:
  sqlite3* database_ = nullptr;
};

struct Bank {
  std::atomic<int> debits = 0;
  std::atomic<int> undone = 0;
  std::atomic<bool> answers = true;

  static Outcome debit(const Call&, void* self) {
    ++static_cast<Bank*>(self)->debits;
    return static_cast<Bank*>(self)->answers ? Outcome::success() : Outcome::unknown("down");
  }
  static Outcome undo(const Call&, void* self) {
    ++static_cast<Bank*>(self)->undone;
    return Outcome::success();
  }
};

struct Counter {
  Engine open(Options options = {}) {
    auto engine = Engine::open(path, options);
    REQUIRE(engine.has_value());
    REQUIRE(engine->handle("debit", Bank::debit, &bank));
    REQUIRE(engine->handle("undo", Bank::undo, &bank));
    REQUIRE(engine->start());
    return std::move(*engine);
  }

  // Posts the request and waits for its answer.
  static RequestAnswer ask(Requests& requests, const Request& request) {
    const auto id = requests.post(request);
    REQUIRE(id);
    std::optional<RequestAnswer> answer;
    REQUIRE(comes_true([&] {
      answer = *requests.answer(*id);
      return answer.has_value();
    }));
    CHECK_FALSE(*requests.withdraw(*id));
    return *answer;
  }

  TempDir dir;
  std::string path = dir.file("state.db");
  Bank bank;
};

constexpr const char* kInsert =
    "INSERT INTO belay_requests(verb, gid, body) VALUES('submit', 'order-1', json_object('mode', "
    "'saga', 'steps', json_array(json_object('action', 'debit', 'compensate', 'undo', 'payload', "
    "json_object('amount', 30)))))";

}  // namespace

TEST_SUITE("api/requests") {
  TEST_CASE_FIXTURE(Counter, "a submit in an application's transaction happens if that commits") {
    auto engine = open();
    Shop shop(path);
    shop.run("CREATE TABLE orders(id INTEGER PRIMARY KEY)");
    shop.run("BEGIN; INSERT INTO orders VALUES(1)");
    shop.run(kInsert);
    shop.run("ROLLBACK");
    shop.run("BEGIN; INSERT INTO orders VALUES(2)");
    Outbox outbox(shop.handle());
    const auto id = outbox.submit(Saga().step("debit", "undo", "2"));
    REQUIRE(id);
    CHECK(engine.counters().submitted == 0);
    shop.run("COMMIT");
    REQUIRE(comes_true([&] { return shop.answer_to(*id) == "taken"; }));
    CHECK(shop.text("SELECT body IS NULL AND answered_at >= asked_at FROM belay_requests") == "1");
    const auto gid = shop.text("SELECT gid FROM belay_requests");
    CHECK(engine.wait(gid, 10s)->succeeded());
    CHECK(bank.debits == 1);
    CHECK(engine.counters().submitted == 1);
    CHECK(engine.close());
    CHECK(Reader::open(path)->find(gid)->status == Status::succeed);
  }

  TEST_CASE_FIXTURE(Counter, "what cannot be submitted is refused before it is in the file") {
    { auto engine = open(); }
    Shop shop(path);
    Outbox outbox(shop.handle());
    CHECK(outbox.submit(Saga()).error().code == ErrorCode::invalid_argument);
    CHECK(outbox.submit(Saga(std::string(129, 'g')).step("a", "")).error().code ==
          ErrorCode::gid_limit);
    CHECK(outbox.submit(Workflow("w").callback("c", "n", "")).error().code ==
          ErrorCode::unsupported);
    CHECK(shop.text("SELECT count(*) FROM belay_requests") == "0");
    std::filesystem::create_hard_link(path, dir.file("second name.db"));
    CHECK(Requests::open(dir.file("second name.db")).error().code == ErrorCode::misplaced);
    std::filesystem::remove(dir.file("second name.db"));
    shop.run("PRAGMA user_version = 3");
    CHECK(outbox.submit(Saga().step("a", "")).error().code == ErrorCode::unsupported);
    CHECK(Requests::open(path).error().code == ErrorCode::unsupported);
  }

  TEST_CASE_FIXTURE(Counter, "SQL that gets it wrong is told so in its row") {
    auto engine = open();
    Shop shop(path);
    shop.run(kInsert);  // its payload is an object
    shop.run("INSERT INTO belay_requests(verb, gid) VALUES('submit', 'x')");
    shop.run("INSERT INTO belay_requests(verb, gid, body) VALUES(x'00ff', 5, zeroblob(100))");
    shop.run("INSERT INTO belay_requests(verb, body) VALUES('submit', zeroblob(70000000))");
    shop.run(
        "INSERT INTO belay_requests(verb, gid, asked_by) VALUES('stop', 'x', "
        "hex(zeroblob(1000000)))");
    REQUIRE(comes_true([&] {
      return shop.text("SELECT count(*) FROM belay_requests WHERE answered_at IS NULL") == "0";
    }));
    CHECK(shop.text("SELECT group_concat(answer) FROM (SELECT answer FROM belay_requests ORDER BY "
                    "id)") ==
          "invalid_argument,invalid_argument,unsupported,definition_limit,invalid_argument");
    CHECK(shop.text("SELECT detail FROM belay_requests").find("'payload'") != std::string::npos);
    CHECK(shop.text("SELECT length(body) > 0 FROM belay_requests") == "1");
  }

  TEST_CASE_FIXTURE(Counter, "an operator's requests are carried out on a live file") {
    bank.answers = false;
    auto engine = open();
    for (const auto* gid : {"one", "two"}) REQUIRE(engine.submit(Saga(gid).step("debit", "undo")));
    auto requests = Requests::open(path);
    REQUIRE(requests);
    REQUIRE(comes_true([&] { return bank.debits == 2; }));
    CHECK_FALSE(ask(*requests, {Verb::replay, "one"}).refused);
    CHECK(comes_true([&] { return bank.debits == 3; }));
    CHECK_FALSE(ask(*requests, {Verb::stop, "one", "it is enough", "ann"}).refused);
    CHECK(engine.wait("one", 10s)->reason() == "it is enough (by ann)");
    CHECK(ask(*requests, {Verb::stop, "one"}).refused->code == ErrorCode::forbidden);
    CHECK_FALSE(ask(*requests, {Verb::back, "two", "wrong price", "ann"}).refused);
    CHECK(engine.wait("two", 10s)->reason() == "wrong price (by ann)");
    CHECK(bank.undone == 1);
    CHECK(ask(*requests, {Verb::replay, "nobody"}).refused->code == ErrorCode::not_found);
    CHECK(requests->answer(4711).error().code == ErrorCode::not_found);
    CHECK(requests->post({Verb::stop, "one", std::string(1'025, 'x')}).error().code ==
          ErrorCode::invalid_argument);
  }

  TEST_CASE_FIXTURE(Counter, "edits, holds, topics and the log's level come by rows as well") {
    bank.answers = false;
    auto engine = open();
    REQUIRE(engine.submit(Saga("one").step("lost", "undo", "old")));
    Shop shop(path);
    const auto answer = [&](const std::string& verb, const std::string& gid,
                            const std::string& body) {
      shop.run("INSERT INTO belay_requests(verb, gid, body, reason) VALUES('" + verb +
               "', nullif('" + gid + "', ''), '" + body + "', 'why')");
      const auto id = sqlite3_last_insert_rowid(shop.handle());
      REQUIRE(comes_true([&] { return !shop.answer_to(id).empty(); }));
      return shop.answer_to(id);
    };
    bank.answers = true;
    CHECK(answer("hold", "", R"({"target":"debit"})") == "taken");
    CHECK(shop.text("SELECT target || reason FROM belay_holds") == "debitwhy");
    CHECK(answer("edit", "one",
                 R"({"branch_id":"01","op":"action","target":"debit","payload":"new"})") ==
          "taken");
    CHECK(bank.debits == 0);
    CHECK(answer("release", "", R"({"target":"debit"})") == "taken");
    CHECK(engine.wait("one", 10s)->succeeded());
    CHECK(bank.debits == 1);
    CHECK(answer("subscribe", "", R"({"topic":"news","target":"debit","remark":"all"})") ==
          "taken");
    CHECK(engine.topics()->at(0).subscriptions.at(0).remark == "all");
    CHECK(answer("unsubscribe", "", R"({"topic":"news","target":"debit"})") == "taken");
    CHECK(answer("remove_topic", "", R"({"topic":"news"})") == "taken");
    CHECK(engine.topics()->empty());
    CHECK(answer("log_level", "", R"({"level":"error"})") == "taken");

    CHECK(answer("release", "", R"({"target":"debit"})") == "not_found");
    CHECK(answer("hold", "", R"({"target":"debit","op":"action"})") == "invalid_argument");
    CHECK(answer("hold", "", "") == "invalid_argument");
    CHECK(answer("log_level", "", R"({"level":"loud"})") == "invalid_argument");
    CHECK(answer("remove_topic", "", R"({"topic":"news"})") == "not_found");
    CHECK(answer("edit", "one", R"({"branch_id":"01","op":"action","payload":"new"})") ==
          "forbidden");
    CHECK(answer("edit", "one", R"({"branch_id":"01","op":"action","headers":[["a","b","c"]]})") ==
          "invalid_argument");
    CHECK(answer("edit", "one", R"({"branch_id":"01","op":"action","headers":[["a","b",{]]})") ==
          "invalid_argument");
    CHECK(answer("resolve", "one", R"({"branch_id":"01","op":"action","target":"x"})") ==
          "invalid_argument");
  }

  TEST_CASE_FIXTURE(Counter, "every request of the class is read as it was written") {
    auto engine = open();
    auto requests = Requests::open(path);
    REQUIRE(requests);
    const auto refused = [&](const Request& request) {
      const auto answer = ask(*requests, request);
      return answer.refused ? answer.refused->code : ErrorCode{};
    };
    Changes changes{.payload = "a\"b\xff", .headers = {{"X", "1"}, {"Y", "2"}}};
    changes.target = "debit";
    changes.without_headers = {"Z", "W"};
    CHECK(refused({.verb = Verb::edit, .gid = "g", .branch_id = "01", .changes = changes}) ==
          ErrorCode::not_found);
    CHECK(refused({.verb = Verb::hold, .target = "a\"b"}) == ErrorCode{});
    CHECK(refused({.verb = Verb::release, .target = "a\"b"}) == ErrorCode{});
    CHECK(refused({.verb = Verb::subscribe, .subscription = {"t", "debit", "r"}}) == ErrorCode{});
    CHECK(refused({.verb = Verb::unsubscribe, .subscription = {"t", "debit"}}) == ErrorCode{});
    CHECK(refused({.verb = Verb::remove_topic, .subscription = {"t", ""}}) == ErrorCode{});
    CHECK(refused({.verb = Verb::log_level, .level = LogLevel::warning}) == ErrorCode{});
    CHECK(engine.carry_out({.verb = Verb::hold, .target = "x"}));
    CHECK(engine.carry_out({.verb = Verb::release, .target = "x"}));
    CHECK(engine.carry_out({.verb = Verb::log_level}));
    CHECK(engine.carry_out({.verb = Verb::stop, .gid = "g"}).error().code == ErrorCode::not_found);
  }

  TEST_CASE_FIXTURE(Counter, "what is posted on a dead file comes before any call") {
    bank.answers = false;
    {
      auto engine = open();
      for (const auto* gid : {"one", "two"})
        REQUIRE(engine.submit(Saga(gid).step("debit", "undo")));
      REQUIRE(comes_true([&] { return bank.debits == 2; }));
    }
    {
      auto requests = Requests::open(path);
      REQUIRE(requests);
      REQUIRE(requests->post({Verb::stop, "one", "not any more", "ann"}));
      const auto taken_back = requests->post({Verb::stop, "two", "no, go on", "ann"});
      CHECK(*requests->withdraw(*taken_back));
      CHECK(requests->withdraw(*taken_back).error().code == ErrorCode::not_found);
    }
    bank.answers = true;
    auto engine = open();
    CHECK(engine.wait("one", 10s)->reason() == "not any more (by ann)");
    CHECK(engine.retry_now("two"));
    CHECK(engine.wait("two", 10s)->succeeded());
    CHECK(bank.debits == 3);
  }

  TEST_CASE_FIXTURE(Counter, "answers are swept, and requests without one are not") {
    auto engine = open();
    Shop shop(path);
    const auto post = [&](int count) {
      shop.run("BEGIN; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
               std::to_string(count) +
               ") INSERT INTO belay_requests(verb, gid) SELECT 'replay', 'nobody' FROM n; COMMIT");
      REQUIRE(comes_true([&] {
        return shop.text("SELECT count(*) FROM belay_requests WHERE answered_at IS NULL") == "0";
      }));
    };
    post(20'000);
    CHECK(std::stoi(shop.text("SELECT count(*) FROM belay_requests")) <= 14'096);
    CHECK(shop.text("SELECT max(id) FROM belay_requests") == "20000");
    shop.run("UPDATE belay_requests SET answered_at = 1000");
    REQUIRE(engine.close());
    engine = open();
    CHECK(comes_true([&] { return shop.text("SELECT count(*) FROM belay_requests") == "0"; }));
  }
}

}  // namespace belay::test
