// Goal: `belay show --proto` shows what branches are called with, of a file and of a server, and
// says why it cannot.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "served.h"

namespace belay::test {
namespace {

using Json = nlohmann::json;
using Words = std::vector<std::string>;

std::string from_env(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// An order by gRPC that a service has to take, and one that is called by HTTP.
constexpr const char* kOrder = R"({"gid":"order-1","trans_type":"saga","steps":[
    {"action":"grpc://127.0.0.1:1/shop.Stock/Take",
     "compensate":"grpc://127.0.0.1:1/shop.Stock/PutBack"},
    {"action":"http://127.0.0.1:1/","compensate":"grpc://127.0.0.1:1/shop.Stock/Sell"}],
    "payloads":["\n\u001ehttp://user:word@shop.example/","{\"pay\":1}"]})";

struct Shop {
  explicit Shop(Words more = {}) : served(flags_of(dir, std::move(more))) {
    REQUIRE(served.listening());
    const auto submitted = http::fetch({.method = "POST",
                                        .url = served.url("/api/dtmsvr/submit"),
                                        .headers = {{"Authorization", "Bearer all"}},
                                        .body = kOrder});
    REQUIRE(status_of(submitted) == 200);
  }
  static Words flags_of(const TempDir& dir, Words more) {
    more.insert(more.end(), {"--token-file", tokens_in(dir)});
    return more;
  }
  static std::string tokens_in(const TempDir& dir) {
    std::ofstream(dir.file("tokens")) << "a:admin:all\nr:read:some\n";
    std::ofstream(dir.file("admin")) << "all\n";
    std::ofstream(dir.file("reader")) << "some\n";
    return dir.file("tokens");
  }
  Finished show(Words more, const std::string& set = from_env("BELAY_PROTO_SET")) const {
    Words words = {"show", "order-1", "--proto", set};
    words.insert(words.end(), more.begin(), more.end());
    return run(belay_spawn(std::move(words)));
  }
  // By the server's types, if it has any.
  template <class... More>
  Finished show_decoded(const char* token, More... more) const {
    return run(belay_spawn(
        {"show", "order-1", "--server", served.url(""), "--token-file", dir.file(token), more...}));
  }
  Words by_file() const { return {"--db", served.db(), "--json"}; }
  Words by_server(const char* token, const char* form) const {
    return {"--server", served.url(""), "--token-file", dir.file(token), form};
  }

  TempDir dir;
  Served served;
};

// What the schema says of a line of `belay show --json`; empty: nothing.
std::string wrong_by_schema(const std::string& line) {
  Words words = {from_env("BELAY_PYTHON"), "-B", "-Wignore", from_env("BELAY_SCHEMA_CHECK"),
                 from_env("BELAY_SCHEMAS")};
  for (const auto& file : std::filesystem::directory_iterator(from_env("BELAY_SCHEMAS")))
    if (file.path().extension() == ".json") words.push_back(file.path().stem().string());
  const auto checked = run({.argv = words, .input = "show\t" + line});
  CHECK(checked.exit_code == 0);
  return checked.out == "\n" ? checked.err : checked.out + checked.err;
}

}  // namespace

TEST_SUITE("process/proto") {
  TEST_CASE("show --proto shows the messages of a file") {
    const Shop shop;
    const auto done = shop.show(shop.by_file());
    CHECK(done.exit_code == 0);
    CHECK(done.err == "");
    CHECK(wrong_by_schema(done.out) == "");
    const auto payloads = Json::parse(done.out).at("payloads");
    REQUIRE(payloads.size() == 4);
    CHECK(payloads[0].at("type") == "shop.Order");
    CHECK(payloads[0].at("message") == Json{{"customer", "http://***@shop.example/"}});
    CHECK(payloads[1].at("message") == Json{{"why", "http://***@shop.example/"}});
    CHECK(payloads[2].at("text") == "{\"pay\":1}");
    CHECK(payloads[3].at("base64") == "eyJwYXkiOjF9");
    CHECK(payloads[3].at("reason") == "the service 'shop.Stock' has no method 'Sell'");

    auto words = shop.by_file();
    words.emplace_back("--show-secrets");
    CHECK(Json::parse(shop.show(words).out).at("payloads")[0].at("message").at("customer") ==
          "http://user:word@shop.example/");
    const auto table = shop.show({"--db", shop.served.db()});
    for (const char* part : {"shop.Order", R"({"customer":"http://***@shop.example/"})",
                             R"({"pay":1})", "base64:eyJwYXkiOjF9", "has no method 'Sell'"})
      CHECK_MESSAGE(contains(table.out, part), table.out);
    CHECK_FALSE(
        Json::parse(run(belay_spawn({"show", "order-1", "--db", shop.served.db(), "--json"})).out)
            .contains("payloads"));
  }

  TEST_CASE("a server shows its messages to an admin, and to others says so") {
    const Shop shop;
    const auto done = shop.show(shop.by_server("admin", "--json"));
    CHECK(done.err == "");
    CHECK(wrong_by_schema(done.out) == "");
    const auto payloads = Json::parse(done.out).at("payloads");
    REQUIRE(payloads.size() == 4);
    CHECK(contains(payloads[0].at("reason").get<std::string>(), "the server has hidden a part"));
    CHECK(payloads[2].at("text") == "{\"pay\":1}");

    const auto kept = shop.show(shop.by_server("reader", "--json"));
    CHECK(kept.exit_code == 0);
    CHECK(contains(kept.err, "shows payloads only to a token of the role admin\n"));
    CHECK(wrong_by_schema(kept.out) == "");
    CHECK(Json::parse(kept.out).at("payloads").is_null());
  }

  TEST_CASE("a server with --proto has decoded what it shows") {
    const Shop shop({"--proto", from_env("BELAY_PROTO_SET")});
    const auto done = shop.show_decoded("admin", "--json");
    CHECK(done.err == "");
    CHECK(wrong_by_schema(done.out) == "");
    const auto shown = Json::parse(done.out);
    const auto& payloads = shown.at("payloads");
    REQUIRE(payloads.size() == 4);
    CHECK(payloads[0].at("message") == Json{{"customer", "http://***@shop.example/"}});
    CHECK(payloads[2].at("text") == "{\"pay\":1}");
    CHECK(payloads[3].at("reason") == "the service 'shop.Stock' has no method 'Sell'");
    CHECK(shown.at("definition").at("steps")[0][2].is_null());
    CHECK(contains(shop.show_decoded("admin").out, R"({"customer":"http://***@shop.example/"})"));

    const auto kept = shop.show_decoded("reader", "--json");
    CHECK(kept.exit_code == 0);
    CHECK(kept.err == "");
    CHECK_FALSE(Json::parse(kept.out).contains("payloads"));
    const auto own = shop.show(shop.by_server("admin", "--json"));
    CHECK(contains(Json::parse(own.out).at("payloads")[0].at("reason").get<std::string>(),
                   "the server has hidden a part"));
  }

  TEST_CASE("a server without it shows what it showed before") {
    const Shop shop;
    const auto shown = Json::parse(shop.show_decoded("admin", "--json").out);
    CHECK_FALSE(shown.contains("payloads"));
    CHECK(shown.at("definition").at("steps")[0][2].is_null());
  }

  TEST_CASE("a file that is no descriptor set is one error, which names the option") {
    const Shop shop;
    std::ofstream(shop.dir.file("garbage")) << "syntax = \"proto3\";";
    const std::vector<std::pair<std::string, std::string>> cases = {
        {shop.dir.file("garbage"), "it is no descriptor set"},
        {shop.dir.file("none"), "No such file"},
        {shop.dir.path(), "Is a directory"},
        {"/dev/zero", "larger than 16777216 bytes"},
        {from_env("BELAY_PROTO_ALONE"), "imports google/protobuf/any.proto"}};
    for (const auto& [file, why] : cases) {
      const auto done = shop.show(shop.by_file(), file);
      CHECK(done.exit_code == 2);
      CHECK(done.out == "");
      CHECK(done.err.starts_with("belay: --proto: "));
      CHECK_MESSAGE(contains(done.err, why), done.err);
      CHECK(std::count(done.err.begin(), done.err.end(), '\n') == 1);
    }
  }
}

}  // namespace belay::test
