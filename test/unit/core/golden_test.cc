// The bytes on disk, as committed text. If one of these fails, the format changed: raise its
// number, keep the old bytes here as what must still be read, and add the new ones.
#include <doctest/doctest.h>

#include "core/codec.h"
#include "unit/core/samples.h"
#include "unit/core/transactions.h"

namespace belay::test {
namespace {

constexpr std::string_view kDefinition1 =
    "0100027f086f726465722d3432fa01b0ea01b81764000000000000f83fe0d403000000000000d03f07d00f01"
    "0674656e616e7401370d6279207468652063616c6c65723730302d3061663736353139313663643433646438"
    "3434386562323131633830333139632d623761643662373136393230333333312d303103070a62616e6b2e64"
    "656269740f62616e6b2e756e646f5f64656269740e7b22616d6f756e74223a33307d00dc0b65000000000000"
    "f83fe0d403000000000000d03f07d00f0205746f6b656e016105746f6b656e0162000d73746f636b2e726573"
    "657276650d73746f636b2e72656c656173650000000b6d61696c2e65786375736505636166c3a90001000200"
    "01";

constexpr std::string_view kBatch1 =
    "01067853188380d095ffbc3101d804000a646566696e6974696f6e020000c801080301040103929e96ffbc31"
    "08485454502035303204d3040100000477686f3f05d804060377687906000604";

constexpr std::string_view kSnapshot1 =
    "014d0280d095ffbc31f83cf40389020100027f086f726465722d3432fa01b0ea01b81764000000000000f83f"
    "e0d403000000000000d03f07d00f010674656e616e7401370d6279207468652063616c6c65723730302d3061"
    "6637363531393136636434336464383434386562323131633830333139632d62376164366237313639323033"
    "3333312d303103070a62616e6b2e64656269740f62616e6b2e756e646f5f64656269740e7b22616d6f756e74"
    "223a33307d00dc0b65000000000000f83fe0d403000000000000d03f07d00f0205746f6b656e016105746f6b"
    "656e0162000d73746f636b2e726573657276650d73746f636b2e72656c656173650000000b6d61696c2e6578"
    "6375736505636166c3a9000100020001005c010003b0090000010003e0120100010003901c02010106636c6f"
    "73656405e820146272616e63682030332028293a20636c6f73656403c8330208010003a038010b0108485454"
    "502035303204f83c0008010a6e6f2068616e646c6572146272616e63682030332028293a20636c6f7365644a"
    "010000000a6e6f2068616e646c65720a010101b8d59bffbc31084854545020353032130101000000";

std::string unhex(std::string_view text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<char>(digit(text[i]) << 4 | digit(text[i + 1])));
  }
  return bytes;
}

std::vector<core::Record> records() {
  using core::RecordKind;
  return {
      {.kind = RecordKind::submitted, .id = 300, .at = 1'700'000'000'000, .text = "definition"},
      {.kind = RecordKind::started,
       .id = 300,
       .at = 1'700'000'000'000,
       .branch = 200,
       .op = Op::compensate},
      {.kind = RecordKind::answered,
       .id = 299,
       .at = 1'700'000'000'002,
       .branch = 1,
       .op = Op::action,
       .outcome = OutcomeKind::unknown,
       .due_at = 1'700'000'010'002,
       .text = "HTTP 502"},
      {.kind = RecordKind::parked,
       .id = 1,
       .at = 1'699'999'999'999,
       .branch = 0,
       .op = Op::action,
       .text = "who?"},
      {.kind = RecordKind::aborting, .id = 301, .at = 1'700'000'000'003, .text = "why"},
      {.kind = RecordKind::finished, .id = 301, .at = 1'700'000'000'003, .status = Status::failed},
  };
}

}  // namespace

TEST_SUITE("core/golden") {
  TEST_CASE("a definition of format 1 is written and read as ever") {
    CHECK(hex(encoded(rich_saga())) == kDefinition1);
    const auto definition = core::Definition::parse(unhex(kDefinition1));
    REQUIRE(definition.has_value());
    CHECK(definition->bytes() == encoded(rich_saga()));
    CHECK(definition->hash() == 0xfea3c4c29e120622u);  // in the rows of finished transactions
  }

  TEST_CASE("a batch of format 1 is written and read as ever") {
    CHECK(hex(sealed(records())) == kBatch1);
    const auto bytes = unhex(kBatch1);
    const auto back = unsealed(bytes);
    REQUIRE(back.has_value());
    REQUIRE(back->size() == records().size());
    for (std::size_t i = 0; i < back->size(); ++i) CHECK(same((*back)[i], records()[i]));
  }

  TEST_CASE("a snapshot of format 1, with its timeline, is written and read as ever") {
    CHECK(hex(core::encode_snapshot(rich_transaction())) == kSnapshot1);
    const auto back = core::decode_snapshot(unhex(kSnapshot1));
    REQUIRE(back.has_value());
    CHECK(difference(*back, rich_transaction()) == "");
  }
}

}  // namespace belay::test
