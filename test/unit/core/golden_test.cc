// The bytes on disk, as committed text. If one of these fails, the format changed: raise its
// number, keep the old bytes here as what must still be read, and add the new ones.
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

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

// What is written today of that one, in which the traceparent does not count.
constexpr std::uint64_t kUntracedHash1 = 14990684712981776692u;

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

constexpr std::string_view kTccDefinition1 =
    "0101001a086f726465722d3433a09c0164000000000000f83fe0d403000000000000d03f07d00f010674656e"
    "616e740137020f08736561742e7472790b736561742e63616e63656c023741dc0b66000000000000f83fe0d4"
    "03000000000000d03f07d00f0105746f6b656e01610c736561742e636f6e6669726d00086d65616c2e747279"
    "0b6d65616c2e63616e63656c00";

constexpr std::string_view kMsgDefinition1 =
    "01030121086f726465722d3434fa010d6279207468652063616c6c65720302096d61696c2e73656e64000777"
    "656c636f6d6567000000000000f83fe0d403000000000000d03f07d00f000e746f7069633a2f2f6f72646572"
    "73000c7b226f72646572223a34347d10106f72646572732e636f6d6d69747465640000";

constexpr std::string_view kNamedDefinition1 =
    "01020100086f726465722d343502480a73746f636b2e74616b650e73746f636b2e726f6c6c6261636b01370c"
    "73746f636b2e636f6d6d69740430313031080962616e6b2e74616b650d62616e6b2e726f6c6c6261636b000b"
    "62616e6b2e636f6d6d6974";

constexpr std::string_view kDrivenBatch1 =
    "010a571937e6acd295ffbc3102020000100300020010000002000201100300040110000008000a2a0809686f"
    "74656c2e7472790c686f74656c2e63616e63656c036f6e650d686f74656c2e636f6e6669726d02000a021003"
    "000c0211000466756c6c08000e2408076361722e7472790a6361722e63616e63656c036f6e650b6361722e63"
    "6f6e6669726d02000e03100300100313c4a096ffbc31084854545020353032";

constexpr std::string_view kMsgBatch1 =
    "010b41c887e0b8e197ffbc31020200024004000202400477686f3f03001202400000090012bbe397ffbc3108"
    "00121e200a61756469742e6e6f7465000001200a73746f636b2e6e6f74650000010200860400000200860401"
    "000300860401000000020086040300020086040400030088040401ccb198ffbc3106636c6f736564";

constexpr std::string_view kDrivenSnapshot1 =
    "014e0880d095ffbc31e8040091010101001a086f726465722d3433a09c0164000000000000f83fe0d4030000"
    "00000000d03f07d00f010674656e616e740137020f08736561742e7472790b736561742e63616e63656c0237"
    "41dc0b66000000000000f83fe0d403000000000000d03f07d00f0105746f6b656e01610c736561742e636f6e"
    "6669726d00086d65616c2e7472790b6d65616c2e63616e63656c004e0809686f74656c2e7472790c686f7465"
    "6c2e63616e63656c036f6e650d686f74656c2e636f6e6669726d08076361722e7472790a6361722e63616e63"
    "656c036f6e650b6361722e636f6e6669726d32070003da040010010003dc040110010008e2040203e4040211"
    "010466756c6c08e6040303e80403130108485454502035303200020100000000020100000000030100000004"
    "66756c6c01010001c4a096ffbc31084854545020353032";

constexpr std::string_view kMsgSnapshot1 =
    "014f0980d095ffbc31f8a604f6a6047b01030121086f726465722d3434fa010d6279207468652063616c6c65"
    "720302096d61696c2e73656e64000777656c636f6d6567000000000000f83fe0d403000000000000d03f07d0"
    "0f000e746f7069633a2f2f6f7264657273000c7b226f72646572223a34347d10106f72646572732e636f6d6d"
    "697474656400001e200a61756469742e6e6f7465000001200a73746f636b2e6e6f746500000135070004f2a2"
    "040240010477686f3f0382a304024001000982a3040882a3040303f6a6040100010003f8a60404010106636c"
    "6f7365640001000000000002010000000002010000000001000000000001010001ccb198ffbc3106636c6f73"
    "6564";

constexpr std::string_view kWorkflowDefinition1 =
    "010400b8086f726465722d343664000000000000f83fe0d403000000000000d03f07d00f010674656e616e74"
    "01370d6279207468652063616c6c6572056f7264657201100b73686f702e726573756d65000b7b2263617274"
    "223a377d00";

constexpr std::string_view kOperatorBatch1 =
    "0104d2c50f78d0d698ffbc310f020001080828627920616e6e29100006010808726566756e64656410020800"
    "1108736f6c64206f757411000a01201161207374657020616e642061206e6f7465";

constexpr std::string_view kWorkflowBatch1 =
    "01054bf7afa6acd295ffbc310e02000040bca096ffbc310c00021502303106616374696f6e07737563636565"
    "640200ff0300a09c010043ccee96ffbc310848545450203530320c00a29c011802303108726f6c6c6261636b"
    "066661696c65640466756c6c0400c0b80200400477686f3f";

constexpr std::string_view kWorkflowSnapshot1 =
    "01501880d095ffbc3198bd02005d010400b8086f726465722d343664000000000000f83fe0d4030000000000"
    "00d03f07d00f010674656e616e7401370d6279207468652063616c6c6572056f7264657201100b73686f702e"
    "726573756d65000b7b2263617274223a377d00002707000cda040003f8a0010043010848545450203530320c"
    "faa001010498bd020040010477686f3f0041010001000477686f3f32da0402303106616374696f6e07737563"
    "636565640200fffaa00102303108726f6c6c6261636b066661696c65640466756c6c00";

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

void check_definition(Description description, std::string_view bytes, std::uint64_t hash,
                      core::Entry entry = core::Entry::submit) {
  CHECK(hex(encoded(description, entry)) == bytes);
  const auto definition = core::Definition::parse(unhex(bytes));
  REQUIRE(definition.has_value());
  CHECK(definition->bytes() == encoded(description, entry));
  CHECK(definition->has_hash(hash));  // in the rows of finished transactions
  const auto untraced = definition->trace_parent().empty() ? hash : kUntracedHash1;
  CHECK(definition->hash() == untraced);
}

void check_batch(const std::vector<core::Record>& records, std::string_view expected) {
  CHECK(hex(sealed(records)) == expected);
  const auto bytes = unhex(expected);
  const auto back = unsealed(bytes);
  REQUIRE(back.has_value());
  REQUIRE(back->size() == records.size());
  for (std::size_t i = 0; i < back->size(); ++i) CHECK(same((*back)[i], records[i]));
}

// Format 1 is still read; format 2 has the same content and a checksum.
void check_snapshot(const core::Transaction& transaction, std::string_view format_1,
                    std::string_view checksum) {
  const auto format_2 = "02" + std::string(format_1.substr(2)) + std::string(checksum);
  CHECK(hex(core::encode_snapshot(transaction)) == format_2);
  for (const auto bytes : {format_1, std::string_view(format_2)}) {
    const auto back = core::decode_snapshot(unhex(bytes));
    REQUIRE(back.has_value());
    CHECK(difference(*back, transaction) == "");
  }
}

}  // namespace

// The example of lib/core/format.md, without what it says of the bytes.
std::string bytes_in_prose() {
  const char* path = std::getenv("BELAY_FORMAT");
  REQUIRE_MESSAGE(path != nullptr, "BELAY_FORMAT names lib/core/format.md");
  std::ifstream file(path);
  std::string bytes;
  std::string line;
  while (std::getline(file, line) && line != "```") continue;
  while (std::getline(file, line) && line != "```") {
    std::istringstream words(line.substr(0, line.find("  ", line.find_first_not_of(' '))));
    for (std::string byte; words >> byte;) bytes += byte;
  }
  return bytes;
}

TEST_SUITE("core/golden") {
  TEST_CASE("a definition of format 1 is written and read as ever") {
    check_definition(rich_saga(), kDefinition1, 0xd0099c5289284934u);
    check_definition(rich_tcc(), kTccDefinition1, 0xc89e019d23f2c1dau);
    check_definition(rich_msg(), kMsgDefinition1, 0x14aec2123b2e04e7u);
    check_definition(named_xa(), kNamedDefinition1, 0x139a58582cc1d768u);
    check_definition(rich_workflow(), kWorkflowDefinition1, 0x792a4764845e53f0u,
                     core::Entry::prepare);
  }

  TEST_CASE("a batch of format 1 is written and read as ever") {
    check_batch(records(), kBatch1);
    check_batch(driven_records(), kDrivenBatch1);
    check_batch(msg_records(), kMsgBatch1);
    check_batch(workflow_records(), kWorkflowBatch1);
    check_batch(operator_records(), kOperatorBatch1);
  }

  TEST_CASE("the example in the description of the formats is that batch") {
    CHECK(bytes_in_prose() == kBatch1);
  }

  TEST_CASE("a snapshot, with its timeline, is written in format 2 and read in 1 and 2") {
    check_snapshot(rich_transaction(), kSnapshot1, "bcfe0cc3");
    check_snapshot(driven_transaction(), kDrivenSnapshot1, "a1fd3a0c");
    check_snapshot(msg_transaction(), kMsgSnapshot1, "b01c28e5");
    check_snapshot(workflow_transaction(), kWorkflowSnapshot1, "d9229cca");
  }
}

}  // namespace belay::test
