#include "xa/xid.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "belay/xa.h"
#include "xa/conninfo.h"

using namespace belay;

TEST_SUITE("unit/xa") {
  TEST_CASE("a plain gid is readable in its xid") {
    CHECK(xid_of("stock", "order-42", "01") == "belay-stock.order-42.01");
    CHECK(xid_of("stock", "01HXYZ01HXYZ01HXYZ01HXYZ01", "02") ==
          "belay-stock.01HXYZ01HXYZ01HXYZ01HXYZ01.02");
  }

  TEST_CASE("xids fit the databases' limits and need no quoting, whatever the names") {
    const std::string names[] = {"",
                                 "a",
                                 "it's",
                                 "~",
                                 ".",
                                 "a.b",
                                 "\n",
                                 std::string(33, 'x'),
                                 std::string(34, 'x'),
                                 std::string(5'000, 'x')};
    for (const auto& realm : names) {
      for (const auto& gid : names) {
        for (const auto& branch : names) {
          const auto xid = xa::make_xid(realm, gid, branch);
          CHECK(xid.transaction.size() <= 64);
          CHECK(xid.branch.size() <= 64);
          CHECK(xid.text().size() < 200);
          CHECK(xa::xid_from(xid.text()) == xid);
        }
      }
    }
  }

  TEST_CASE("different names have different xids") {
    const std::string realms[] = {"a", "a-b", std::string(24, 'r')};
    const std::string gids[] = {"b",
                                "b.01",
                                "a-b",
                                "B",
                                "~",
                                "b c",
                                "b  c",
                                "1:b",
                                std::string(33, 'x'),
                                std::string(34, 'x'),
                                std::string(35, 'x')};
    const std::string branches[] = {"01", "02", "1", "0 1", "", std::string(17, '0')};
    std::set<std::string> seen;
    for (const auto& realm : realms) {
      for (const auto& gid : gids) {
        for (const auto& branch : branches) {
          CHECK(seen.insert(xid_of(realm, gid, branch)).second);
        }
      }
    }
  }

  TEST_CASE("what is no xid of belay's is not taken for one") {
    for (const auto* text :
         {"", "belay-", "belay-a", "other-a.b.01", "belay-a.b'.01", "belay-a.b."}) {
      CHECK_FALSE(xa::xid_from(text));
    }
    CHECK_FALSE(xa::xid_from("belay-a." + std::string(100, 'x') + ".01"));
  }

  TEST_CASE("a xid tells its realm, and its gid unless a digest stands for it") {
    const auto plain = xa::make_xid("a-b", "order.4:2", "01");
    CHECK(xa::realm_of(plain) == "a-b");
    CHECK(xa::gid_of(plain) == "order.4:2");
    const auto digest = xa::make_xid("a-b", std::string(100, 'g'), "01");
    CHECK(xa::realm_of(digest) == "a-b");
    CHECK(xa::gid_of(digest).empty());
  }

  TEST_CASE("a conninfo is taken apart, quotes and all") {
    const auto parts = xa::parse_parts(R"( host=db  password='it\'s \\ here' user= )");
    REQUIRE(parts);
    CHECK(parts->at("host") == "db");
    CHECK(parts->at("password") == R"(it's \ here)");
    CHECK(parts->at("user").empty());
    CHECK(xa::parse_parts("")->empty());
    for (const auto* wrong : {"host", "host =x", "password='open", "host=a secret"}) {
      const auto refused = xa::parse_parts(wrong);
      REQUIRE_FALSE(refused);
      CHECK(refused.error().code == ErrorCode::invalid_argument);
      CHECK(refused.error().detail.find("secret") == std::string::npos);
    }
  }
}
