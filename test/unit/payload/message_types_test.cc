// Goal: a payload is shown as the message that the called method takes; whatever the file or the
// payload has, there is an answer that says what is wrong.
#include "payload/message_types.h"

#include "shop_types.h"

namespace belay::tool {
namespace {

std::string refusal_of_set(const std::string& set) {
  const auto types = MessageTypes::make(set);
  REQUIRE_FALSE(types);
  CHECK(types.error().code == ErrorCode::invalid_argument);
  return types.error().detail;
}

std::string nested_orders(int depth) {
  std::string order;
  for (int i = 0; i < depth; ++i) order = field(4, order);
  return order;
}

}  // namespace

TEST_SUITE("payload/message_types") {
  TEST_CASE("a payload becomes the message of the method's type") {
    const auto types = shop_types();
    const auto order = field(1, "ann") + field(2, field(1, "tea") + "\x10\x03") +
                       field(3, std::string("\x08\x01", 2));
    const auto decoded = types.decode("shop.Stock/Take", order);
    CHECK(decoded.wrong == "");
    CHECK(decoded.type == "shop.Order");
    CHECK(decoded.json == R"({"customer":"ann","lines":[{"article":"tea","count":"3"}],)"
                          R"("at":"1970-01-01T00:00:01Z"})");
    CHECK(types.decode("shop.Stock/PutBack", field(1, "late")).json == R"({"why":"late"})");
    CHECK(types.decode("shop.Stock/Ping", "").json == "{}");
  }

  TEST_CASE("a field that the type does not have is left out") {
    CHECK(shop_types().decode("shop.Stock/PutBack", field(1, "late") + field(9, "new")).json ==
          R"({"why":"late"})");
  }

  TEST_CASE("what cannot be decoded says why") {
    const auto types = shop_types();
    const auto wrong = [&](const char* method, const std::string& bytes) {
      const auto decoded = types.decode(method, bytes);
      CHECK(decoded.json == "");
      return decoded.wrong;
    };
    CHECK(wrong("shop.Shelf/Take", "") == "there is no service 'shop.Shelf' in the descriptor set");
    CHECK(wrong("shop.Stock/Steal", "") == "the service 'shop.Stock' has no method 'Steal'");
    CHECK(wrong("shop.Stock", "") == "the service 'shop.Stock' has no method ''");
    CHECK(wrong("", "") == "there is no service '' in the descriptor set");
    CHECK(wrong("shop.Stock/Take", "{\"customer\":1}") == "it is no message of this type");
    CHECK(wrong("shop.Stock/PutBack", field(1, "late").substr(0, 4)) ==
          "it is no message of this type");
    CHECK(wrong("shop.Stock/PutBack", field(1, "\xff")) == "it is no message of this type");
    CHECK(wrong("old.Bank/Do", "") == "it lacks cents");
    // A time beyond the year 9999 has no JSON.
    CHECK(wrong("shop.Stock/Take", field(3, "\x08\xff\xff\xff\xff\xff\xff\x7f")) != "");
    CHECK(wrong("shop.Stock/Take", std::string(kDecodedBytesMax + 1, 'x')) ==
          "it is larger than 1048576 bytes");
  }

  TEST_CASE("messages within messages have a limit") {
    const auto types = shop_types();
    CHECK(types.decode("shop.Stock/Take", nested_orders(kNestedMax - 2)).wrong == "");
    CHECK(types.decode("shop.Stock/Take", nested_orders(kNestedMax + 1)).wrong != "");
    CHECK(types.decode("shop.Stock/Take", nested_orders(20'000)).wrong != "");
  }

  TEST_CASE("a file that is no whole descriptor set is refused with the reason") {
    CHECK(refusal_of_set("") == "it is no descriptor set");
    CHECK(refusal_of_set("syntax = \"proto3\";") == "it is no descriptor set");
    const auto set = file_named_by("BELAY_PROTO_SET");
    CHECK(refusal_of_set(set.substr(0, set.size() - 1)) == "it is no descriptor set");
    CHECK(refusal_of_set(file_named_by("BELAY_PROTO_ALONE")) ==
          "shop.proto imports google/protobuf/any.proto, which is not in it before");
    auto second = set;
    second.replace(second.find("Order"), 5, "Buyer");
    CHECK(refusal_of_set(set + second) != "");
    CHECK(MessageTypes::make(set + set));
    CHECK(refusal_of_set(std::string(kDescriptorSetBytesMax + 1, 'x')) ==
          "it is larger than 16777216 bytes");
  }

  TEST_CASE("a descriptor set with one byte changed is read or refused, and decodes or not") {
    const auto set = file_named_by("BELAY_PROTO_SET");
    const auto order = field(1, "ann") + field(2, field(1, "tea"));
    for (std::size_t i = 0; i < set.size(); ++i) {
      auto changed = set;
      changed[i] = static_cast<char>(changed[i] ^ (1 << i % 8));
      const auto types = MessageTypes::make(changed);
      if (!types) {
        CHECK(types.error().detail != "");
        continue;
      }
      const auto decoded = types->decode("shop.Stock/Take", order);
      CHECK(decoded.json.empty() == !decoded.wrong.empty());
    }
  }
}

}  // namespace belay::tool
