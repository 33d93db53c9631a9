// Statements: what cannot be bound is told.
#include "sqlite/sqlite.h"

#include <doctest/doctest.h>

#include "support/process.h"

namespace belay::sqlite {

TEST_SUITE("sqlite/sqlite") {
  TEST_CASE("a value that is too large is told by the step, which does nothing; the next is good") {
    auto database = Database::open(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, {});
    REQUIRE(database);
    REQUIRE(database->run("CREATE TABLE t(a, b)"));
    sqlite3_limit(database->handle(), SQLITE_LIMIT_LENGTH, 1'000);
    auto insert = Statement::prepare(database->handle(), "INSERT INTO t VALUES(?1, ?2)");
    REQUIRE(insert);
    const std::string large(2'000, 'x');
    insert->bind_blob(1, large);
    insert->bind(2, std::int64_t{1});
    const auto refused = insert->run();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::storage);
    CHECK(refused.error().detail.find("while binding \"INSERT") == 0);
    CHECK(*database->integer("SELECT count(*) FROM t") == 0);
    insert->bind_text(1, "small");
    CHECK(insert->run());
    CHECK(*database->integer("SELECT count(*) FROM t") == 1);
  }

  TEST_CASE("of a write-ahead log is moved what no reader holds") {
    const test::TempDir dir;
    const auto open = [&] {
      return Database::open(dir.file("db"), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, {});
    };
    auto writer = open();
    REQUIRE(writer);
    REQUIRE(writer->run("PRAGMA journal_mode=WAL; CREATE TABLE t(a)"));
    auto reader = open();
    REQUIRE(reader);
    REQUIRE(reader->run("BEGIN"));
    REQUIRE(reader->integer("SELECT count(*) FROM t"));
    REQUIRE(writer->run("INSERT INTO t VALUES(1)"));
    const auto partly = writer->move_wal();
    REQUIRE(partly);
    CHECK_FALSE(partly->all);
    REQUIRE(reader->run("COMMIT"));
    const auto whole = writer->move_wal();
    REQUIRE(whole);
    CHECK(whole->all);
    CHECK(whole->frames > partly->frames);
  }
}

}  // namespace belay::sqlite
