// The table is dtm's, to the column; and a table that dtm made is used with care.
#include <doctest/doctest.h>

#include "servers/story.h"

namespace belay::test {
namespace {

using Rows = std::vector<std::string>;

// As dtm's own script makes it, with the server's usual collation.
constexpr const char* kDtmTable =
    "create table dtm_barrier.barrier(id bigint(22) PRIMARY KEY AUTO_INCREMENT, trans_type "
    "varchar(45) default '', gid varchar(128) default '', branch_id varchar(128) default '', op "
    "varchar(45) default '', barrier_id varchar(45) default '', reason varchar(45) default '', "
    "create_time datetime DEFAULT now(), update_time datetime DEFAULT now(), key(create_time), "
    "key(update_time), UNIQUE key(gid, branch_id, op, barrier_id)) ENGINE=InnoDB DEFAULT "
    "CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci";

// A gid beyond ASCII, guarded by connections that speak in different character sets.
template <class Site>
void check_character_sets(const std::string& set_latin1, const std::string& set_utf8) {
  const auto latin1 = Site::connect();
  const auto utf8 = Site::connect();
  REQUIRE(latin1->run(set_latin1));
  REQUIRE(utf8->run(set_utf8));
  int done = 0;
  const auto work = [&done] {
    ++done;
    return Outcome::success();
  };
  const auto gid = "caf\xc3\xa9 " + std::to_string(new_story());
  for (auto* connection : {latin1.get(), utf8.get()}) {
    Barrier barrier("saga", gid, "01", "action");
    CHECK(is(connection->call(barrier, work), OutcomeKind::success));
  }
  CHECK(done == 1);
  for (auto* connection : {latin1.get(), utf8.get()}) {
    Barrier barrier("saga", "caf\xe9", "01", "action");
    const auto outcome = connection->call(barrier, work);
    CHECK(is(outcome, OutcomeKind::unknown));
    CHECK(!outcome.reason().empty());
  }
  CHECK(done == 1);
}

}  // namespace

TEST_SUITE("servers/barrier table") {
  TEST_CASE("PostgreSQL's table is dtm's") {
    const auto connection = PostgresReadCommitted::connect();
    CHECK(connection->rows("select column_name, data_type, "
                           "coalesce(character_maximum_length, datetime_precision) "
                           "from information_schema.columns where table_schema = 'dtm_barrier' "
                           "and table_name = 'barrier' order by ordinal_position") ==
          Rows{"id bigint ", "trans_type character varying 45", "gid character varying 128",
               "branch_id character varying 128", "op character varying 45",
               "barrier_id character varying 45", "reason character varying 45",
               "create_time timestamp with time zone 0", "update_time timestamp with time zone 0"});
    CHECK(connection->rows("select column_name from information_schema.key_column_usage where "
                           "table_schema = 'dtm_barrier' and constraint_name = 'uniq_barrier' "
                           "order by ordinal_position") ==
          Rows{"gid", "branch_id", "op", "barrier_id"});
  }

  TEST_CASE("MariaDB's table is dtm's") {
    const auto connection = MariaDbReadCommitted::connect();
    CHECK(connection->rows("select column_name, data_type, character_maximum_length from "
                           "information_schema.columns where table_schema = 'dtm_barrier' and "
                           "table_name = 'barrier' order by ordinal_position") ==
          Rows{"id bigint ", "trans_type varchar 45", "gid varchar 128", "branch_id varchar 128",
               "op varchar 45", "barrier_id varchar 45", "reason varchar 45",
               "create_time datetime ", "update_time datetime "});
    CHECK(connection->rows("select column_name from information_schema.statistics where "
                           "table_schema = 'dtm_barrier' and non_unique = 0 and index_name <> "
                           "'PRIMARY' order by seq_in_index") ==
          Rows{"gid", "branch_id", "op", "barrier_id"});
  }

  TEST_CASE("SQLite's table has dtm's columns") {
    const auto connection = Sqlite::connect();
    CHECK(connection->rows("SELECT name FROM pragma_table_info('barrier')") ==
          Rows{"id", "trans_type", "gid", "branch_id", "op", "barrier_id", "reason", "create_time",
               "update_time"});
    CHECK(connection->rows("SELECT name FROM pragma_index_info('sqlite_autoindex_barrier_1')") ==
          Rows{"gid", "branch_id", "op", "barrier_id"});
  }

  TEST_CASE_TEMPLATE("a missing table is made where it is missing, and named where it is needed",
                     Site, BELAY_SITES) {
    const auto connection = Site::connect();
    REQUIRE(connection->run("drop table " + std::string(Site::kTable)));
    const Story story("saga");
    const auto outcome = story.call(*connection, "action");
    CHECK(is(outcome, OutcomeKind::unknown));
    CHECK(outcome.reason().find("barrier") != std::string::npos);
    REQUIRE(connection->create_table().has_value());
    REQUIRE(connection->create_table().has_value());
    CHECK(is(story.call(*connection, "action"), OutcomeKind::success));
  }

  TEST_CASE_TEMPLATE("a table is not made inside a transaction, which that would commit", Site,
                     BELAY_SERVER_SITES) {
    const auto connection = Site::connect();
    REQUIRE(connection->run("drop table " + std::string(Site::kTable)));
    REQUIRE(connection->run("begin"));
    const auto made = connection->create_table();
    REQUIRE(!made.has_value());
    CHECK(made.error().code == ErrorCode::misuse);
    REQUIRE(connection->run("rollback"));
    CHECK(connection->create_table().has_value());
  }

  TEST_CASE("gids do not depend on the connection's character set") {
    SUBCASE("PostgreSQL") {
      check_character_sets<PostgresReadCommitted>("set client_encoding = latin1",
                                                  "set client_encoding = utf8");
    }
    SUBCASE("MariaDB") {
      check_character_sets<MariaDbReadCommitted>("set names latin1", "set names utf8mb4");
    }
  }

  TEST_CASE("a table that takes gids of different case for one does not make a call look done") {
    const auto connection = MariaDbReadCommitted::connect();
    REQUIRE(connection->run("drop table dtm_barrier.barrier"));
    REQUIRE(connection->run(kDtmTable));
    CHECK(connection->create_table().has_value());
    int done = 0;
    const auto call = [&](std::string_view gid) {
      Barrier barrier("saga", gid, "01", "action");
      return connection->call(barrier, [&done] {
        ++done;
        return Outcome::success();
      });
    };
    CHECK(is(call("case"), OutcomeKind::success));
    CHECK(is(call("case"), OutcomeKind::success));
    const auto other = call("CASE");
    CHECK(is(other, OutcomeKind::unknown));
    CHECK(other.reason().find("collation") != std::string::npos);
    CHECK(done == 1);
    REQUIRE(connection->run("drop table dtm_barrier.barrier"));
    REQUIRE(connection->create_table().has_value());
  }
}

}  // namespace belay::test
