#include "core/codec.h"

#include <doctest/doctest.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "core/apply.h"
#include "unit/core/samples.h"
#include "unit/core/transactions.h"

using namespace std::string_literals;

namespace belay::test {
namespace {

constexpr std::size_t kBodyAt = 6;  // behind format, a count below 128 and the checksum

// A batch whose checksum is right, whatever it holds.
std::string with_checksum(std::string_view count, std::string_view body) {
  std::string batch("\x01");
  batch.append(count);
  base::put_u32(batch, base::crc32c(body));
  return batch.append(body);
}

// The same, as a version that does not exist yet would write it.
std::string of_format(char format, std::string bytes) {
  bytes[0] = format;
  base::put_u32(bytes, base::crc32c(bytes));
  return bytes;
}

// A snapshot as format 1 had it.
std::string without_checksum(const std::string& snapshot) {
  return '\x01' + snapshot.substr(1, snapshot.size() - 1 - core::kChecksumBytes);
}

ErrorCode error_of(std::string_view batch) {
  const auto records = unsealed(batch);
  return records ? ErrorCode{} : records.error().code;
}

}  // namespace

TEST_SUITE("core/codec") {
  TEST_CASE("records of every kind come back with extreme numbers") {
    const auto records = extreme_records();
    const auto batch = sealed(records);
    const auto back = unsealed(batch);
    REQUIRE(back.has_value());
    REQUIRE(back->size() == records.size());
    for (std::size_t i = 0; i < records.size(); ++i) {
      CAPTURE(i);
      CHECK(same((*back)[i], records[i]));
    }
  }

  TEST_CASE("an empty batch is a batch") {
    const auto batch = sealed({});
    const auto back = unsealed(batch);
    REQUIRE(back.has_value());
    CHECK(back->empty());
  }

  TEST_CASE("a writer starts anew after take: nothing of one batch leaks into the next") {
    const auto records = extreme_records();
    core::BatchWriter writer;
    for (int round = 0; round < 2; ++round) {
      for (const auto& record : records) writer.add(record);
      CHECK(writer.count() == records.size());
      CHECK(writer.take() == sealed(records));
      CHECK(writer.empty());
      CHECK(writer.bytes() == 0);
    }
  }

  TEST_CASE("a bit that flips anywhere is noticed") {
    const auto batch = sealed(extreme_records());
    for (std::size_t at = 0; at < batch.size(); ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        auto damaged = batch;
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
        CAPTURE(at);
        CAPTURE(bit);
        CHECK(error_of(damaged) == ErrorCode::corrupt);  // never a newer version's work
      }
    }
  }

  TEST_CASE("a batch cut at any length is refused") {
    const auto batch = sealed(extreme_records());
    for (std::size_t size = 0; size < batch.size(); ++size) {
      CAPTURE(size);
      CHECK(error_of(std::string_view(batch).substr(0, size)) == ErrorCode::corrupt);
    }
  }

  TEST_CASE("bytes behind a batch are refused") {
    CHECK(error_of(sealed(extreme_records()) + '\0') == ErrorCode::corrupt);
  }

  TEST_CASE("a count that is too large or too small is refused, though no checksum covers it") {
    auto batch = sealed(extreme_records());
    ++batch[1];
    CHECK(error_of(batch) == ErrorCode::corrupt);
    batch[1] = static_cast<char>(batch[1] - 2);
    CHECK(error_of(batch) == ErrorCode::corrupt);
  }

  TEST_CASE("a newer format and an unknown kind are unsupported, with the number in the message") {
    const auto newer = of_format('\x02', sealed(extreme_records()));
    const auto opened = core::BatchReader::open(newer);
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().code == ErrorCode::unsupported);
    CHECK(opened.error().detail == "batch format 2");
    for (const char kind : {'\x00', '\x0b', '\xff'}) {
      const auto batch = with_checksum("\x01", std::string("\x05") + kind + std::string(6, '\0'));
      const auto records = unsealed(batch);
      REQUIRE_FALSE(records.has_value());
      CHECK(records.error().code == ErrorCode::unsupported);
      CHECK(records.error().detail ==
            "record kind " + std::to_string(static_cast<unsigned char>(kind)));
    }
  }

  TEST_CASE("an unknown operation, outcome or status is refused behind a checksum that is right") {
    const auto body_of = [](const core::Record& record) {
      return sealed({record}).substr(kBodyAt);
    };
    const auto started = body_of({.kind = core::RecordKind::started, .id = 1, .at = 1});
    for (const unsigned packed : {1u, 4u, 7u, 9u << 3, 31u << 3}) {
      auto body = started;
      body.back() = static_cast<char>(packed);
      CAPTURE(packed);
      CHECK(error_of(with_checksum("\x01", body)) == ErrorCode::corrupt);
    }
    auto finished =
        body_of({.kind = core::RecordKind::finished, .id = 1, .at = 1, .status = Status::failed});
    finished.back() = 5;
    CHECK(error_of(with_checksum("\x01", finished)) == ErrorCode::corrupt);
  }

  TEST_CASE("an error stays: reading on after it gives it again") {
    const auto batch = with_checksum("\x02", std::string("\x05\x09\0\0", 4));
    auto reader = core::BatchReader::open(batch);
    REQUIRE(reader.has_value());
    CHECK_FALSE(reader->next().has_value());
    CHECK_FALSE(reader->next().has_value());
  }
}

TEST_SUITE("core/snapshot") {
  TEST_CASE("a transaction comes back from its snapshot with all that is on disk of it") {
    const auto transaction = rich_transaction();
    const auto back = core::decode_snapshot(core::encode_snapshot(transaction));
    REQUIRE(back.has_value());
    CHECK(difference(*back, transaction) == "");
  }

  TEST_CASE("extreme numbers come back") {
    auto transaction = rich_transaction();
    transaction.id = ~0ull;
    transaction.created_at = ~0ull;
    transaction.updated_at = 0;
    for (auto& branch : transaction.branches) {
      branch.due_at = ~0ull;
      branch.attempts_first = branch.attempts_second = branch.unanswered = ~0u;
      branch.last_error = std::make_unique<std::string>(1024, '\xff');
    }
    const auto back = core::decode_snapshot(core::encode_snapshot(transaction));
    REQUIRE(back.has_value());
    CHECK(difference(*back, transaction) == "");
  }

  TEST_CASE("what is in flight is not on disk") {
    auto transaction = rich_transaction();
    transaction.branches[1].in_flight = true;
    const auto back = core::decode_snapshot(core::encode_snapshot(transaction));
    REQUIRE(back.has_value());
    CHECK_FALSE(back->branches[1].in_flight);
  }

  TEST_CASE("a snapshot that is cut, longer, of a newer format or damaged is refused") {
    const auto bytes = core::encode_snapshot(rich_transaction());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      CAPTURE(size);
      const auto cut = core::decode_snapshot(std::string_view(bytes).substr(0, size));
      REQUIRE_FALSE(cut.has_value());
      CHECK(cut.error().code == ErrorCode::corrupt);
    }
    CHECK_FALSE(core::decode_snapshot(bytes + '\0').has_value());
    const auto newer = core::decode_snapshot(of_format('\x03', bytes));
    REQUIRE_FALSE(newer.has_value());
    CHECK(newer.error().code == ErrorCode::unsupported);
    auto status = without_checksum(bytes);
    status[2] = 5;  // behind the format and an id below 128
    CHECK_FALSE(core::decode_snapshot(status).has_value());
  }

  TEST_CASE("a bit of a snapshot that flips anywhere is noticed") {
    const auto bytes = core::encode_snapshot(rich_transaction());
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        auto damaged = bytes;
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
        CAPTURE(at);
        CAPTURE(bit);
        const auto back = core::decode_snapshot(damaged);
        REQUIRE_FALSE(back.has_value());
        CHECK(back.error().code == ErrorCode::corrupt);  // never a newer version's work
      }
    }
  }

  TEST_CASE("a snapshot of format 1, which has no checksum, is damaged at worst") {
    auto bytes = without_checksum(core::encode_snapshot(rich_transaction()));
    const auto definition_at = bytes.find("\x01\x00\x02\x7f"s);
    REQUIRE(definition_at != std::string::npos);
    bytes[definition_at] = 3;  // its format
    const auto back = core::decode_snapshot(bytes);
    REQUIRE_FALSE(back.has_value());
    CHECK(back.error().code == ErrorCode::corrupt);
  }

  TEST_CASE("a branch in a state that cannot be is refused") {
    Saga saga("g");
    saga.step("a", "b");
    const auto transaction = *core::begin(
        {.kind = core::RecordKind::submitted, .id = 1, .at = 1, .text = encoded(saga)});
    const auto bytes = without_checksum(core::encode_snapshot(transaction));
    const auto at = bytes.size() - 6;  // its states; five empty fields follow
    for (const unsigned states : {4u, 4u << 3, 1u << 3, 2u << 3, 1u << 7}) {
      CAPTURE(states);
      auto damaged = bytes;
      damaged[at] = static_cast<char>(states);
      CHECK_FALSE(core::decode_snapshot(damaged).has_value());
    }
    CHECK(core::decode_snapshot(bytes).has_value());
  }
}

}  // namespace belay::test
