// Goal: query, all, prepareWorkflow and the resets show what clients' models are made for.
// Method: transactions of each mode are made, then looked at member by member.
#include <doctest/doctest.h>

#include "unit/protocol/api_site.h"

namespace belay::test {
namespace {

using Words = std::vector<std::string>;

// "01 compensate succeed", in the order of the rows.
Words rows_of(const Json& branches) {
  Words words;
  for (const auto& row : branches) {
    words.push_back(row.at("branch_id").get<std::string>() + " " + row.at("op").get<std::string>() +
                    " " + row.at("status").get<std::string>());
  }
  return words;
}

Json query(ApiSite& site, const std::string& gid) {
  const auto response = site.get("query", {{"gid", gid}});
  CHECK(response.status == 200);
  return Json::parse(response.body);
}

}  // namespace

TEST_SUITE("protocol/listing") {
  TEST_CASE("a saga's rows: compensate before action, step by step") {
    ApiSite site;
    CHECK(site.post("submit", saga("g", {"ok", "no", "ok"},
                                   {{"wait_result", true},
                                    {"custom_data", R"({"concurrent":false})"},
                                    {"timeout_to_fail", 60},
                                    {"branch_headers", {{"x-h", "v"}}}}))
              .status == 409);
    const auto stored = query(site, "g");
    CHECK(rows_of(stored.at("branches")) == Words{"01 compensate succeed", "01 action succeed",
                                                  "02 compensate succeed", "02 action failed",
                                                  "03 compensate prepared", "03 action prepared"});
    CHECK(stored.at("branches").at(1).at("bin_data") == "e30=");
    CHECK(stored.at("branches").at(1).contains("finish_time"));
    CHECK(stored.at("branches").at(3).contains("rollback_time"));
    const auto& transaction = stored.at("transaction");
    CHECK(transaction.at("gid") == "g");
    CHECK(transaction.at("trans_type") == "saga");
    CHECK(transaction.at("status") == "failed");
    CHECK(transaction.at("protocol") == "http");
    CHECK(transaction.at("rollback_reason") == "url:no return failed: no money FAILURE");
    CHECK(transaction.at("custom_data") == R"({"concurrent":false})");
    CHECK(transaction.at("concurrent") == false);
    CHECK(transaction.contains("rollback_time"));
    CHECK_FALSE(transaction.contains("finish_time"));
    const auto options = Json::parse(transaction.at("options").get<std::string>());
    CHECK(options ==
          Json::parse(R"({"branch_headers":{"x-h":"v"},"concurrent":false,"timeout_to_fail":60})"));
    const auto created = transaction.at("create_time").get<std::string>();
    CHECK(created.size() == 29);
    CHECK(created.ends_with("+00:00"));
  }

  TEST_CASE("passwords and tokens are hidden, unless the service shall show them") {
    for (const bool shown : {false, true}) {
      auto options = ApiSite::default_options();
      if (shown) options.secrets = protocol::Secrets::shown;
      ApiSite site(options);
      const std::string url = "http://user:word@127.0.0.1:1/x?token=abc&a=1";
      const std::string hidden = "http://***@127.0.0.1:1/x?token=***&a=1";
      CHECK(site.post("prepare",
                      msg("g", {url},
                          {{"query_prepared", url},
                           {"branch_headers", {{"Authorization", "Bearer abc"}, {"X-H", "v"}}}}))
                .status == 200);
      const auto stored = query(site, "g");
      const auto listed = Json::parse(site.get("all").body).at("transactions").at(0);
      CHECK(stored.at("branches").at(0).at("url") == (shown ? url : hidden));
      for (const auto& transaction : {stored.at("transaction"), listed}) {
        CHECK(transaction.at("query_prepared") == (shown ? url : hidden));
        const auto headers =
            Json::parse(transaction.at("options").get<std::string>()).at("branch_headers");
        CHECK(headers == Json{{"Authorization", shown ? "Bearer abc" : "***"}, {"X-H", "v"}});
      }
    }
  }

  TEST_CASE("the rows of tcc, xa and msg") {
    ApiSite site;
    for (const std::string type : {"tcc", "xa"}) {
      REQUIRE(site.bring(type, type, Status::succeed));
    }
    CHECK(rows_of(query(site, "tcc").at("branches")) ==
          Words{"01 cancel prepared", "01 confirm succeed"});
    CHECK(rows_of(query(site, "xa").at("branches")) ==
          Words{"01 rollback prepared", "01 commit succeed"});
    CHECK(site.post("submit",
                    msg("msg", {"ok", "ok"},
                        {{"query_prepared", "later"}, {"concurrent", true}, {"wait_result", true}}))
              .status == 200);
    const auto stored = query(site, "msg");
    CHECK(rows_of(stored.at("branches")) == Words{"01 action succeed", "02 action succeed"});
    CHECK(stored.at("transaction").at("query_prepared") == "later");
    CHECK(stored.at("transaction").at("concurrent") == true);
    CHECK(stored.at("transaction").contains("finish_time"));
  }

  TEST_CASE("query of nothing, and of a gid that is not known") {
    ApiSite site;
    CHECK(site.get("query").status == 500);
    CHECK(message_of(site.get("query")) == "no gid specified");
    CHECK(site.get("query", {{"gid", "x"}}).body == R"({"branches":[],"transaction":null})");
  }

  TEST_CASE("all: newest first, by pages, filtered") {
    ApiSite site;
    for (const auto* gid : {"a", "b", "c"}) REQUIRE(site.bring(gid, "saga", Status::succeed));
    REQUIRE(site.bring("d", "tcc", Status::prepared));
    const auto gids = [&](const http::Fields& query, std::string* next = nullptr) {
      const auto page = Json::parse(site.get("all", query).body);
      if (next != nullptr) *next = page.at("next_position").get<std::string>();
      Words words;
      for (const auto& row : page.at("transactions")) words.push_back(row.at("gid"));
      return words;
    };
    std::string next;
    CHECK(gids({}, &next) == Words{"d", "c", "b", "a"});
    CHECK(next == "");
    CHECK(gids({{"limit", "2"}}, &next) == Words{"d", "c"});
    CHECK(gids({{"limit", "2"}, {"position", next}}, &next) == Words{"b", "a"});
    CHECK(next == "");
    CHECK(gids({{"status", "succeed"}, {"transType", "saga"}}) == Words{"c", "b", "a"});
    CHECK(gids({{"status", "none"}}).empty());
    CHECK(gids({{"transType", "none"}}).empty());
    CHECK(gids({{"gid", "b"}, {"status", "failed"}}) == Words{"b"});
    CHECK(site.get("all", {{"gid", "x"}}).body == R"({"next_position":"","transactions":null})");
    CHECK(gids({{"createTimeEnd", "1000000"}}).empty());
    CHECK(gids({{"createTimeStart", "1000000"}}).size() == 4);
    CHECK(gids({{"createTimeStart", "99999999999000"}}).empty());
    CHECK(gids({{"createTimeStart", "9223372036854775807"}}).empty());
    CHECK(gids({{"limit", "0"}}).size() == 4);
    CHECK(message_of(site.get("all", {{"limit", "x"}})) == "convert to int error: x");
    CHECK(message_of(site.get("all", {{"position", "x"}})) == "convert to int error: x");
  }

  TEST_CASE("prepareWorkflow: new, then with what was done, then with its end") {
    ApiSite site;
    const auto request =
        body("g", "workflow",
             {{"custom_data", R"({"name":"wf","data":"aGk="})"}, {"query_prepared", ""}});
    auto reply = Json::parse(site.post("prepareWorkflow", request).body);
    CHECK(reply.at("progresses") == Json::array());
    CHECK(reply.at("transaction").at("status") == "prepared");
    CHECK(reply.at("transaction").at("gid") == "g");
    Json step{{"gid", "g"},     {"trans_type", "workflow"}, {"branch_id", "01"},
              {"op", "action"}, {"status", "succeed"},      {"data", "done"}};
    CHECK(site.post("registerBranch", step).status == 200);
    CHECK(site.post("registerBranch", step).status == 500);
    reply = Json::parse(site.post("prepareWorkflow", request).body);
    CHECK(rows_of(reply.at("progresses")) == Words{"01 action succeed"});
    CHECK(reply.at("progresses").at(0).at("bin_data") == "ZG9uZQ==");
    CHECK(site.post("submit", body("g", "workflow")).status == 500);
    CHECK(
        site.post("submit", body("g", "workflow", {{"req_extra", {{"status", "what"}}}})).status ==
        500);
    CHECK(site.post("submit", body("g", "workflow",
                                   {{"req_extra", {{"status", "succeed"}, {"result", "cmVz"}}}}))
              .status == 200);
    reply = Json::parse(site.post("prepareWorkflow", request).body);
    CHECK(reply.at("transaction").at("status") == "succeed");
    CHECK(reply.at("transaction").at("result") == "cmVz");
    CHECK(rows_of(query(site, "g").at("branches")) == Words{"01 action succeed"});
  }

  TEST_CASE("a delay that only the submit says holds, and a submit again is the same one") {
    ApiSite site;
    CHECK(site.post("prepare", msg("g", {"ok"})).status == 200);
    const auto delayed = msg("g", {"ok"}, {{"custom_data", R"({"Delay":1000})"}});
    CHECK(site.post("submit", delayed).status == 200);
    CHECK(site.post("submit", delayed).status == 200);
    CHECK(query(site, "g").at("transaction").contains("next_cron_time"));
    CHECK(site.calls_of("g") == 0);
    CHECK(site.post("resetNextCronTime", {{"gid", "g"}}).status == 200);
    CHECK(site.reaches("g", Status::succeed));
    CHECK(site.calls_of("g") == 1);
  }

  TEST_CASE("a reset does not ask for a prepared message whose sender may still be at work") {
    ApiSite site;
    CHECK(site.post("prepare", msg("g", {"ok"}, {{"query_prepared", "no"}})).status == 200);
    CHECK(site.post("resetNextCronTime", {{"gid", "g"}}).status == 200);
    CHECK(site.get("resetCronTime", {{"timeout", "0"}}).status == 200);
    CHECK(site.post("submit", msg("g", {"ok"}, {{"query_prepared", "no"}})).status == 200);
    CHECK(site.reaches("g", Status::succeed));
    CHECK(site.calls_of("g") == 1);
  }

  TEST_CASE("resets wake what waits") {
    ApiSite site;
    CHECK(site.post("submit", saga("g", {"mute"}, {{"retry_interval", 1'000}})).status == 200);
    REQUIRE(site.is_called("g", 1));
    const auto reset = Json::parse(site.get("resetCronTime", {{"limit", "10"}}).body);
    CHECK(reset.at("has_remaining") == false);
    CHECK(reset.at("succeed_count").is_number());
    CHECK(site.post("resetNextCronTime", {{"gid", "g"}}).status == 200);
    CHECK(site.is_called("g", 2));
    REQUIRE(site.bring("end", "saga", Status::succeed));
    CHECK(site.post("resetNextCronTime", {{"gid", "end"}}).status == 200);
    CHECK(site.get("resetCronTime", {{"timeout", "x"}}).status == 500);
  }
}

}  // namespace belay::test
