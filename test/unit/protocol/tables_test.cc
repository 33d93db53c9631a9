// Goal: what dtm's decision tables say of every request in every state, to the letter.
// Method: each state is brought about by requests, then asked; statuses and messages are compared.
#include <doctest/doctest.h>

#include <variant>

#include "serve/protocol/describe.h"
#include "unit/protocol/api_site.h"

namespace belay::test {
namespace {

struct Row {
  std::string type;
  Status stored;
  std::string request;
  int status;
  std::string message;  // empty: success
};

Json request_for(ApiSite&, const std::string& gid, const Row& row) {
  if (row.request == "registerBranch") {
    return {{"gid", gid},      {"trans_type", row.type}, {"branch_id", "99"},
            {"confirm", "ok"}, {"cancel", "ok"},         {"url", "ok"},
            {"op", "action"},  {"status", "succeed"}};
  }
  if (row.type == "saga") {
    const auto* action = row.stored == Status::succeed     ? "ok"
                         : row.stored == Status::submitted ? "later"
                                                           : "no";
    auto same = saga(gid, {action});  // as it was submitted
    same["steps"][0]["compensate"] = row.stored == Status::aborting ? "mute" : "ok";
    return same;
  }
  if (row.type == "msg") return msg(gid, {"ok"});
  if (row.type == "workflow" && row.request == "submit")
    return body(gid, row.type, {{"req_extra", {{"status", "succeed"}}}});
  return body(gid, row.type);
}

void check_rows(const std::vector<Row>& rows) {
  ApiSite site;
  int number = 0;
  for (const auto& row : rows) {
    const auto gid = "gid-" + std::to_string(++number);
    CAPTURE(row.type);
    CAPTURE(name_of(row.stored));
    CAPTURE(row.request);
    REQUIRE(site.bring(gid, row.type, row.stored));
    const auto response = site.post(row.request, request_for(site, gid, row));
    CHECK(response.status == row.status);
    const auto at = row.message.find("GID");
    auto message = row.message;
    if (at != std::string::npos) message.replace(at, 3, gid);
    CHECK(message_of(response) == message);
    if (row.status == 200) CHECK(response.body == R"({"dtm_result":"SUCCESS"})");
    if (row.status == 409)
      CHECK(Json::parse(response.body).value("dtm_result", std::string()) == "FAILURE");
  }
}

std::string cannot(const char* what, Status status) {
  return "current status '" + std::string(name_of(status)) + "', cannot " + what + ". FAILURE";
}

std::string cannot_abort(const std::string& type, Status status) {
  return "trans type: '" + type + "' current status '" + std::string(name_of(status)) +
         "', cannot abort. FAILURE";
}

std::string cannot_stop(Status status) {
  return "global transaction force stop error. status: " + std::string(name_of(status)) +
         ". error: FAILURE";
}

constexpr auto kNotPrepared = "no trans with gid: GID status: prepared found FAILURE";

}  // namespace

TEST_SUITE("protocol/tables") {
  TEST_CASE("prepare: again while prepared changes nothing, else it is refused") {
    std::vector<Row> rows;
    for (const auto* type : {"tcc", "xa"}) {
      rows.push_back({type, Status::prepared, "prepare", 200, ""});
      for (const auto status :
           {Status::submitted, Status::aborting, Status::succeed, Status::failed})
        rows.push_back({type, status, "prepare", 409, cannot("prepare", status)});
    }
    rows.push_back({"msg", Status::prepared, "prepare", 200, ""});
    for (const auto status : {Status::submitted, Status::succeed, Status::failed})
      rows.push_back({"msg", status, "prepare", 409, cannot("prepare", status)});
    check_rows(rows);
  }

  TEST_CASE("submit: taken while prepared or submitted, refused else") {
    std::vector<Row> rows;
    for (const auto* type : {"tcc", "xa", "msg"}) {
      rows.push_back({type, Status::prepared, "submit", 200, ""});
      rows.push_back({type, Status::submitted, "submit", 200, ""});
      for (const auto status : {Status::succeed, Status::failed})
        rows.push_back({type, status, "submit", 409, cannot("sumbmit", status)});
    }
    rows.push_back({"tcc", Status::aborting, "submit", 409, cannot("sumbmit", Status::aborting)});
    rows.push_back({"saga", Status::submitted, "submit", 200, ""});
    for (const auto status : {Status::aborting, Status::succeed, Status::failed})
      rows.push_back({"saga", status, "submit", 409, cannot("sumbmit", status)});
    check_rows(rows);
  }

  TEST_CASE("abort: of tcc and xa while it can go back, of a msg while prepared, never of others") {
    std::vector<Row> rows;
    for (const std::string type : {"tcc", "xa"}) {
      rows.push_back({type, Status::prepared, "abort", 200, ""});
      rows.push_back({type, Status::aborting, "abort", 200, ""});
      for (const auto status : {Status::submitted, Status::succeed, Status::failed})
        rows.push_back({type, status, "abort", 409, cannot_abort(type, status)});
    }
    rows.push_back({"msg", Status::prepared, "abort", 200, ""});
    for (const auto status : {Status::submitted, Status::succeed, Status::failed})
      rows.push_back({"msg", status, "abort", 409, cannot_abort("msg", status)});
    for (const auto status : {Status::submitted, Status::aborting, Status::succeed, Status::failed})
      rows.push_back({"saga", status, "abort", 409, cannot_abort("saga", status)});
    check_rows(rows);
  }

  TEST_CASE("forceStop: of everything that is not final") {
    std::vector<Row> rows;
    for (const auto* type : {"saga", "tcc"}) {
      if (std::string_view(type) != "saga")
        rows.push_back({type, Status::prepared, "forceStop", 200, ""});
      rows.push_back({type, Status::submitted, "forceStop", 200, ""});
      rows.push_back({type, Status::aborting, "forceStop", 200, ""});
      for (const auto status : {Status::succeed, Status::failed})
        rows.push_back({type, status, "forceStop", 409, cannot_stop(status)});
    }
    check_rows(rows);
  }

  TEST_CASE("registerBranch: while prepared only") {
    std::vector<Row> rows;
    for (const auto* type : {"tcc", "xa"}) {
      rows.push_back({type, Status::prepared, "registerBranch", 200, ""});
      for (const auto status :
           {Status::submitted, Status::aborting, Status::succeed, Status::failed})
        rows.push_back({type, status, "registerBranch", 409, kNotPrepared});
    }
    check_rows(rows);
  }

  TEST_CASE("workflow: progress and its end, once") {
    check_rows({
        {"workflow", Status::prepared, "prepare", 200, ""},
        {"workflow", Status::prepared, "registerBranch", 200, ""},
        {"workflow", Status::succeed, "registerBranch", 409, kNotPrepared},
        {"workflow", Status::failed, "registerBranch", 409, kNotPrepared},
        {"workflow", Status::prepared, "submit", 200, ""},
        {"workflow", Status::succeed, "submit", 500, "storage: NotFound"},
        {"workflow", Status::failed, "submit", 500, "storage: NotFound"},
        {"workflow", Status::prepared, "abort", 409, cannot_abort("workflow", Status::prepared)},
        {"workflow", Status::succeed, "abort", 409, cannot_abort("workflow", Status::succeed)},
    });
  }

  TEST_CASE("an unknown gid: prepare and submit bring it, all else says so") {
    ApiSite site;
    const std::string gid = "nobody";
    for (const auto* name : {"abort", "forceStop", "resetNextCronTime"}) {
      CAPTURE(name);
      const auto response = site.post(name, body(gid, "tcc"));
      CHECK(response.status == 500);
      CHECK(response.body == R"({"message":"no TransGlobal with gid: nobody found"})");
    }
    auto response =
        site.post("submit", body(gid, "workflow", {{"req_extra", {{"status", "succeed"}}}}));
    CHECK(response.status == 500);
    CHECK(message_of(response) == "storage: NotFound");
    response =
        site.post("registerBranch", {{"gid", gid}, {"trans_type", "tcc"}, {"branch_id", "01"}});
    CHECK(response.status == 409);
    CHECK(message_of(response) == "no trans with gid: nobody status: prepared found FAILURE");
    for (const auto* type : {"tcc", "xa"}) {
      CHECK(site.post("submit", body(type, type)).status == 200);
      CHECK(site.reaches(type, Status::succeed));
    }
    CHECK(site.post("submit", saga("saga", {"ok"})).status == 200);
    CHECK(site.post("submit", msg("msg", {"ok"})).status == 200);
    CHECK(site.reaches("msg", Status::succeed));
  }

  TEST_CASE("a submit again neither runs anything anew nor loses a confirm") {
    ApiSite site;
    REQUIRE(site.bring("tcc", "tcc", Status::submitted));
    CHECK(site.post("submit", body("tcc", "tcc")).status == 200);
    CHECK(site.post("submit", body("tcc", "tcc")).status == 200);
    CHECK(site.status_of("tcc") == Status::submitted);
    CHECK(site.post("submit", saga("saga", {"ok", "ok"})).status == 200);
    CHECK(site.reaches("saga", Status::succeed));
    CHECK(site.post("submit", saga("saga", {"ok", "ok"})).status == 409);
    CHECK(site.calls_of("saga") == 2);
  }

  TEST_CASE("a submit again in another trace is the same one") {
    ApiSite site;
    const auto submit = [&](std::string_view span) {
      const auto trace = "00-0af7651916cd43dd8448eb211c80319c-" + std::string(span) + "-01";
      return site
          .ask({"POST",
                "/api/dtmsvr/submit",
                {},
                {{"traceparent", trace}},
                saga("g", {"later"}).dump()})
          .status;
    };
    CHECK(submit("b7ad6b7169203331") == 200);
    CHECK(submit("b7ad6b7169203332") == 200);
  }

  TEST_CASE("a branch registered twice, one of no known type, a body that is none") {
    ApiSite site;
    REQUIRE(site.bring("g", "tcc", Status::prepared));
    const Json branch{{"gid", "g"},      {"trans_type", "tcc"}, {"branch_id", "01"},
                      {"confirm", "ok"}, {"cancel", "ok"},      {"status", "prepared"},
                      {"data", nullptr}};
    auto response = site.post("registerTccBranch", branch);
    CHECK(response.status == 500);
    CHECK(message_of(response) == "storage: UniqueKeyConflict");
    auto other = branch;
    other["trans_type"] = "saga";
    response = site.post("registerBranch", other);
    CHECK(response.status == 500);
    CHECK(message_of(response) == "unknow trans type: saga");
    other = branch;
    other["data"] = 1;
    response = site.post("registerXaBranch", other);
    CHECK(response.status == 400);
    CHECK(response.content_type == "text/plain; charset=utf-8");
    CHECK(site.post_text("registerBranch", "[]").status == 400);
  }

  TEST_CASE("wait_result: the end, or after bounded time that it is not reached") {
    ApiSite site;
    const Json wait{{"wait_result", true}};
    CHECK(site.post("submit", saga("ok", {"ok", "ok"}, wait)).status == 200);
    CHECK(site.status_of("ok") == Status::succeed);
    auto response = site.post("submit", saga("no", {"ok", "no"}, wait));
    CHECK(response.status == 409);
    CHECK(message_of(response) == "url:no return failed: no money FAILURE");
    CHECK(site.status_of("no") == Status::failed);
    for (const auto* target : {"mute", "later"}) {
      response = site.post("submit", saga(target, {target}, wait));
      CHECK(response.status == 425);
      CHECK(message_of(response) == "wait result not return success: ONGOING");
      CHECK(site.status_of(target) == Status::submitted);
    }
    REQUIRE(site.bring("tcc", "tcc", Status::submitted));
    response = site.post("submit", body("tcc", "tcc", wait));
    CHECK(response.status == 425);
    CHECK(response.body == R"({"dtm_result":"ONGOING","message":"ONGOING"})");
    response = site.post(
        "submit",
        msg("delay", {"ok"}, {{"wait_result", true}, {"custom_data", R"({"delay":1000})"}}));
    CHECK(response.status == 425);
    REQUIRE(site.bring("back", "tcc", Status::prepared));
    CHECK(site.post("abort", body("back", "tcc", wait)).status == 200);
    CHECK(site.status_of("back") == Status::failed);
    REQUIRE(site.bring("stays", "tcc", Status::aborting));
    CHECK(site.post("abort", body("stays", "tcc", wait)).status == 425);
  }

  TEST_CASE("wait_result: who was told that it goes on takes nobody's place") {
    auto options = ApiSite::default_options();
    options.waits_max = 1;
    ApiSite site(options);
    const Json wait{{"wait_result", true}};
    CHECK(site.post("submit", saga("goes on", {"mute"}, wait)).status == 425);
    CHECK(site.post("submit", saga("ok", {"ok"}, wait)).status == 200);
  }

  TEST_CASE("wait_result: a branch that does not answer is told with dtm's words") {
    ApiSite site;
    site.post("prepare", body("g", "tcc"));
    site.post("registerBranch", {{"gid", "g"},
                                 {"trans_type", "tcc"},
                                 {"branch_id", "01"},
                                 {"confirm", "mute"},
                                 {"cancel", "ok"}});
    const auto response = site.post("submit", body("g", "tcc", {{"wait_result", true}}));
    CHECK(response.status == 425);
    CHECK(message_of(response) ==
          "your http/grpc result should be specified as in:\n"
          "http://d.dtm.pub/practice/arch.html#proto\nunkown result will be retried: no idea");
  }

  TEST_CASE("a gid is one transaction, of one type") {
    ApiSite site;
    REQUIRE(site.bring("tcc", "tcc", Status::prepared));
    CHECK(site.post("submit", saga("tcc", {"ok"})).status == 409);
    CHECK(site.status_of("tcc") == Status::prepared);
    REQUIRE(site.bring("saga", "saga", Status::submitted));
    CHECK(site.post("submit", saga("saga", {"ok"})).status == 409);
    CHECK(site.post("prepare", msg("msg", {"ok"})).status == 200);
    const auto delayed = msg("msg", {"ok"}, {{"custom_data", R"({"delay":0})"}});
    CHECK(site.post("submit", delayed).status == 200);
    CHECK(site.reaches("msg", Status::succeed));
    CHECK(site.calls_of("msg") == 1);
  }

  TEST_CASE("retry_limit counts repetitions, and says so in the end") {
    ApiSite site;
    const auto response =
        site.post("submit", saga("g", {"mute"}, {{"wait_result", true}, {"retry_limit", 1}}));
    CHECK(response.status == 409);
    CHECK(message_of(response) == "RetryCount is greater than RetryLimit, RetryLimit: 1 FAILURE");
    CHECK(site.calls_of("g") == 3);  // twice the action, once its compensation
  }

  TEST_CASE("a retry_interval counts beside a retry_limit") {
    const auto retry_of = [](std::int64_t limit, std::int64_t interval) {
      protocol::TransactionRequest request;
      request.gid = "g";
      request.trans_type = "saga";
      request.steps = {{"http://a/", ""}};
      request.payloads = {"{}"};
      request.retry_limit = limit;
      request.retry_interval = interval;
      const auto described = protocol::describe(request, {});
      REQUIRE(described);
      const auto one = described->description();
      return std::get<const Saga*>(one.any())->settings().retry;
    };
    CHECK_FALSE(retry_of(0, 0));
    CHECK(retry_of(2, 0)->first_interval == Millis{100});
    for (const std::int64_t limit : {0, 2}) {
      const auto retry = retry_of(limit, 400);
      CHECK(retry->first_interval == Millis{400'000});
      CHECK(retry->ongoing_interval == Millis{400'000});
      CHECK(retry->interval_max == Millis{400'000});
      CHECK(retry->limit == (limit == 0 ? 0 : 3));
    }
  }
}

}  // namespace belay::test
