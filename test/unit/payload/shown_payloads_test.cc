// Goal: each payload is shown once for each operation that is called with it, as what it is, within
// bounds and without secrets.
#include "payload/shown_payloads.h"

#include "base/base64.h"
#include "shop_types.h"

namespace belay::tool {
namespace {

constexpr const char* kTake = "grpc://127.0.0.1:9/shop.Stock/Take";
constexpr const char* kPutBack = "etcd://127.0.0.1:2379/stock/shop.Stock/PutBack";

BranchRow row_of(const char* branch, Op op, const char* target) {
  BranchRow row;
  row.branch_id = branch;
  row.op = op;
  row.target = target;
  return row;
}

// A saga of one branch.
WholeTransaction saga_with(const std::string& payload, const char* action = kTake,
                           const char* compensate = kPutBack) {
  WholeTransaction whole;
  const auto bytes = Json{{"base64", base::to_base64(payload)}};
  whole.row.definition = Json{{"steps", {{action, compensate, bytes}}}}.dump();
  whole.branches = {row_of("01", Op::action, action), row_of("01", Op::compensate, compensate)};
  return whole;
}

std::vector<ShownPayload> shown_of(const WholeTransaction& whole,
                                   PayloadSecrets secrets = PayloadSecrets::hide) {
  static const MessageTypes kTypes = shop_types();
  return shown_payloads(whole, kTypes, secrets);
}

}  // namespace

TEST_SUITE("payload/shown_payloads") {
  TEST_CASE("a target that is called by gRPC names its method") {
    CHECK(grpc_method_of(kTake) == "shop.Stock/Take");
    CHECK(grpc_method_of("grpcs://h:1/a.B/C?x=1") == "a.B/C");
    CHECK(grpc_method_of(kPutBack) == "shop.Stock/PutBack");
    CHECK(grpc_method_of("grpcs+consul://h:8500/stock/shop.Stock/Take") == "shop.Stock/Take");
    for (const char* other : {"", "bank.pay", "http://h/a.B/C", "grpc://h:1", "grpc://h:1/",
                              "grpc://", "http+etcd://h:2379/stock/a.B/C", "etcd://", "etcd://h/x"})
      CHECK_MESSAGE(!grpc_method_of(other), other);
  }

  TEST_CASE("each operation has the message that its own method takes") {
    const auto shown = shown_of(saga_with(field(1, "ann")));
    REQUIRE(shown.size() == 2);
    CHECK(json_of(shown[0]) ==
          Json::parse(R"({"branch_id":"01","op":"action","bytes":5,"type":"shop.Order",
          "message":{"customer":"ann"},"text":null,"base64":null,"cut":false,"reason":null})"));
    CHECK(shown[1].type == "shop.Cancel");
    CHECK(shown[1].value == R"({"why":"ann"})");
  }

  TEST_CASE("other payloads are text or bytes, and an empty one is nothing") {
    auto shown = shown_of(saga_with("{\"pay\":1}", "http://h/", "http://h/back"));
    REQUIRE(shown.size() == 2);
    CHECK(shown[0].form == ShownPayload::Form::text);
    CHECK(shown[0].value == "{\"pay\":1}");
    shown = shown_of(saga_with("\xff", "http://h/", ""));
    REQUIRE(shown.size() == 1);
    CHECK(json_of(shown[0])["base64"] == "/w==");
    CHECK(shown_of(saga_with("", "http://h/", "bank.back")).empty());
    CHECK(shown_of(saga_with("", kTake, "bank.back")).size() == 1);
  }

  TEST_CASE("what is no message is shown as bytes with the reason, even if it is text") {
    const auto shown = shown_of(saga_with("{\"customer\":1}"));
    CHECK(shown[0].form == ShownPayload::Form::base64);
    CHECK(shown[0].value == base::to_base64("{\"customer\":1}"));
    CHECK(shown[0].type == "shop.Order");
    CHECK(shown[0].reason == "it is no message of this type");
  }

  TEST_CASE("the subscribers of a topic have its payload") {
    auto whole = saga_with(field(1, "ann"));
    const auto payload = Json{{"base64", base::to_base64(field(1, "ann"))}};
    whole.row.definition =
        Json{{"steps", {{"topic://orders", "", payload}, {kTake, "", "", {{"subscriber_of", 1}}}}}}
            .dump();
    whole.branches = {row_of("01", Op::action, "topic://orders"), row_of("02", Op::action, kTake)};
    const auto shown = shown_of(whole);
    REQUIRE(shown.size() == 1);
    CHECK(shown[0].branch_id == "02");
    CHECK(shown[0].value == R"({"customer":"ann"})");
  }

  TEST_CASE("what is long is cut between two characters") {
    std::string name;
    while (name.size() < 2 * kMessageShownMax) name += "\xe2\x82\xac";
    auto shown = shown_of(saga_with(field(1, name)));
    CHECK(shown[0].is_cut);
    CHECK(shown[0].value.size() <= kMessageShownMax);
    CHECK(shown[0].value.size() > kMessageShownMax - 3);
    const auto json = json_of(shown[0]);
    CHECK(json["message"].is_null());
    CHECK(json["text"] == shown[0].value);
    CHECK_NOTHROW(json.dump());
    shown = shown_of(saga_with(std::string(2 * kBytesShownMax, '\xff')));
    CHECK(shown[0].is_cut);
    CHECK(base::from_base64(shown[0].value) == std::string(kBytesShownMax, '\xff'));
  }

  TEST_CASE("of many payloads only the first are shown") {
    WholeTransaction whole;
    auto steps = Json::array();
    for (int i = 0; i < 300; ++i) {
      steps.push_back({"http://h/", "", std::string(kMessageShownMax, 'x')});
      whole.branches.push_back(row_of(std::to_string(i).c_str(), Op::action, "http://h/"));
    }
    whole.row.definition = Json{{"steps", steps}}.dump();
    const auto shown = shown_of(whole);
    REQUIRE(shown.size() == 300);
    CHECK(shown[255].value.size() == kMessageShownMax);
    CHECK(shown[256].value == "");
    CHECK(shown[256].size == kMessageShownMax);
    CHECK(shown[256].reason != "");
  }

  TEST_CASE("a message costs its whole length, even if little is shown of it") {
    WholeTransaction whole;
    auto steps = Json::array();
    const auto unknown = Json{{"base64", base::to_base64(field(15, std::string(1000, 'x')))}};
    for (int i = 0; i < 3; ++i) {
      steps.push_back({kTake, "", unknown});
      whole.branches.push_back(row_of(std::to_string(i).c_str(), Op::action, kTake));
    }
    whole.row.definition = Json{{"steps", steps}}.dump();
    static const MessageTypes kTypes = shop_types();
    const auto shown = shown_payloads(whole, kTypes, PayloadSecrets::hide, 1500);
    REQUIRE(shown.size() == 3);
    CHECK(shown[0].value == "{}");
    CHECK(shown[1].value == "{}");
    CHECK(shown[2].type == "");
    CHECK(shown[2].reason == "the payloads before it are long");
  }

  TEST_CASE("a payload is read back from its JSON, and from nothing less") {
    for (const auto& payload :
         {field(1, "ann"), field(1, std::string(2 * kMessageShownMax, 'x')), std::string("\xff")}) {
      const auto json = json_of(shown_of(saga_with(payload))[0]);
      const auto read = shown_payload_from(json);
      REQUIRE(read);
      CHECK(json_of(*read) == json);
      for (const auto& item : json.items()) {
        const auto& name = item.key();
        auto other = json;
        other.erase(name);
        CHECK_MESSAGE(!shown_payload_from(other), name);
        other[name] = Json::array();
        if (name != "message") CHECK_MESSAGE(!shown_payload_from(other), name);
      }
    }
    const auto text = json_of(shown_of(saga_with("{\"pay\":1}", "http://h/", ""))[0]);
    CHECK(json_of(*shown_payload_from(text)) == text);
    CHECK_FALSE(shown_payload_from(Json::array()));
  }

  TEST_CASE("a reason that quotes the message has no secret, and an end") {
    const auto order_with = [](const std::string& url) {
      return saga_with(field(6, field(1, url) + field(2, "x")));
    };
    const auto secret = order_with("user:word://user:word@h/?token=y");
    const auto shown = shown_of(secret)[0];
    CHECK(shown.form == ShownPayload::Form::base64);
    CHECK(shown.reason.find("***@h") != std::string::npos);
    CHECK(shown.reason.find("word@") == std::string::npos);
    CHECK(shown_of(secret, PayloadSecrets::shown)[0].reason.find("word@") != std::string::npos);
    CHECK(shown_of(order_with("h/" + std::string(5000, 'x')))[0].reason.size() <= kReasonShownMax);
  }

  TEST_CASE("secrets are hidden in messages, in text and in bytes") {
    const std::string secret = "a \"quoted\" http://user:word@h/?token=y";
    const auto message = saga_with(field(1, secret));
    CHECK(shown_of(message)[0].value == R"({"customer":"a \"quoted\" http://***@h/?token=***"})");
    CHECK(shown_of(message, PayloadSecrets::shown)[0].value ==
          R"({"customer":"a \"quoted\" http://user:word@h/?token=y"})");
    CHECK(shown_of(saga_with(secret, "http://h/", ""))[0].value ==
          "a \"quoted\" http://***@h/?token=***");
    CHECK(base::from_base64(shown_of(saga_with(secret))[0].value) ==
          "a \"quoted\" http://***@h/?token=***");
  }

  TEST_CASE("a message in which a server has hidden a part is not decoded") {
    const auto shown = shown_of(saga_with(field(1, "token=***")), PayloadSecrets::hidden_before);
    CHECK(shown[0].form == ShownPayload::Form::base64);
    CHECK(shown[0].reason.find("--secrets") != std::string::npos);
    CHECK(shown_of(saga_with(field(1, "ann")), PayloadSecrets::hidden_before)[0].reason == "");
  }

  TEST_CASE("a damaged definition has no payloads") {
    for (const char* text :
         {"", "x", "[]", "{}", R"({"steps":3})", R"({"steps":[1,[2]]})",
          R"({"steps":[["a","b",{"base64":1}],["a","b",5,{"subscriber_of":9}]]})"}) {
      auto whole = saga_with("");
      whole.row.definition = text;
      for (auto& branch : whole.branches) branch.target = "bank.pay";
      CHECK_MESSAGE(shown_of(whole).empty(), text);
    }
  }
}

}  // namespace belay::tool
