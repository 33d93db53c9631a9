// Rows of the program that one statement reads: what it writes, and what it says when they fail.
#include "sqlite/row_source.h"

#include <doctest/doctest.h>

#include <new>
#include <optional>
#include <string>
#include <vector>

#include "sqlite/sqlite.h"

namespace belay::sqlite {
namespace {

class Words : public RowSource {
 public:
  explicit Words(std::vector<std::string> words) : words_(std::move(words)) {}

  Result<> write(Statement& statement) { return run(statement); }

  std::optional<std::size_t> error_at, throw_at;

 private:
  Result<bool> first() override {
    at_ = 0;
    return is_there();
  }
  Result<bool> next() override {
    ++at_;
    return is_there();
  }
  void column(sqlite3_context* out, int column) override {
    if (column == 0) return sqlite3_result_int64(out, static_cast<sqlite3_int64>(at_));
    current_ = words_[at_];
    sqlite3_result_text64(out, current_.data(), current_.size(), SQLITE_STATIC, SQLITE_UTF8);
  }
  Result<bool> is_there() {
    if (error_at == at_) return Error{ErrorCode::corrupt, "the word cannot be read"};
    if (throw_at == at_) throw std::bad_alloc();
    return at_ < words_.size();
  }

  std::vector<std::string> words_;
  std::string current_;  // lent until the next row
  std::size_t at_ = 0;
};

struct Table {
  explicit Table(std::vector<std::string> of) : words(std::move(of)) {
    REQUIRE(database.run("CREATE TABLE t(id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE)"));
    REQUIRE(make_table(database.handle(), "words", "id, word", words));
    auto prepared = Statement::prepare(database.handle(),
                                       "INSERT OR FAIL INTO t SELECT * FROM words WHERE true "
                                       "ON CONFLICT(word) DO UPDATE SET id=excluded.id");
    REQUIRE(prepared);
    insert = std::move(*prepared);
  }
  std::string content() {
    return *database.text(
        "SELECT group_concat(id || word, ' ') FROM (SELECT * FROM t ORDER BY id)");
  }

  Words words;
  Database database =
      std::move(*Database::open(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, {}));
  Statement insert;
};

}  // namespace

TEST_SUITE("sqlite/row_source") {
  TEST_CASE("all rows are written, again and again, a repeated one in its place") {
    Table table({"a", "b", "a"});
    REQUIRE(table.words.write(table.insert));
    CHECK(table.content() == "1b 2a");
    REQUIRE(table.database.run("DELETE FROM t"));
    REQUIRE(table.words.write(table.insert));
    CHECK(table.content() == "1b 2a");
  }

  TEST_CASE("no rows are no error") {
    Table table({});
    REQUIRE(table.words.write(table.insert));
    CHECK(table.content().empty());
  }

  TEST_CASE("an error of the source ends the statement and is told; the next run is good") {
    for (std::size_t at = 0; at < 3; ++at) {
      Table table({"a", "b"});
      table.words.error_at = at;
      REQUIRE(table.database.run("BEGIN"));
      const auto written = table.words.write(table.insert);
      REQUIRE_FALSE(written);
      CHECK(written.error().code == ErrorCode::corrupt);
      CHECK(written.error().detail == "the word cannot be read");
      REQUIRE(table.database.run("ROLLBACK"));
      table.words.error_at.reset();
      CHECK(table.words.write(table.insert));
      CHECK(table.content() == "0a 1b");
    }
  }

  TEST_CASE("a lack of memory is SQLite's error and goes through none of its frames") {
    Table table({"a", "b"});
    table.words.throw_at = 1;
    const auto written = table.words.write(table.insert);
    REQUIRE_FALSE(written);
    CHECK(written.error().code == ErrorCode::storage);
    CHECK(written.error().detail.find("out of memory") != std::string::npos);
  }
}

}  // namespace belay::sqlite
