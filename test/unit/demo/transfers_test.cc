// Goal: a row means one thing or is reported; no file, however odd, stops the rest.
#include "demo/transfers.h"

#include <doctest/doctest.h>

#include <cstdio>

#include "demo/calls.h"
#include "support/process.h"
#include "support/random.h"

namespace {

using namespace belay::demo;

void check_bad(const std::string& row, std::string_view problem) {
  CAPTURE(row);
  const auto file = parse_transfers("T1,a,1,b,2,3.00,before\n" + row + "\nT2,b,1,a,2,3.00,after\n");
  CHECK(file.transfers.size() == 2);
  REQUIRE(file.bad_count == 1);
  CHECK(file.bad_rows[0].line == 2);
  CAPTURE(file.bad_rows[0].problem);
  CHECK(file.bad_rows[0].problem.find(problem) != std::string::npos);
}

void write_file(const std::string& path, std::string_view bytes) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  REQUIRE(file != nullptr);
  std::fwrite(bytes.data(), 1, bytes.size(), file);
  std::fclose(file);
}

}  // namespace

TEST_SUITE("demo/transfers") {
  TEST_CASE("a row says who gives how much to whom") {
    const auto file = parse_transfers("T-1,a,17,B,4,12.5,\"a \"\"gift\"\", late\"\n");
    REQUIRE(file.transfers.size() == 1);
    const auto& transfer = file.transfers[0];
    CHECK(transfer.id == "T-1");
    CHECK(transfer.from.bank == BankId::a);
    CHECK(transfer.from.account == 17);
    CHECK(transfer.to.bank == BankId::b);
    CHECK(transfer.to.account == 4);
    CHECK(transfer.cents == 1250);
    CHECK(transfer.memo == "a \"gift\", late");
    CHECK(gid_of(transfer) == "transfer-T-1");
  }

  TEST_CASE("CRLF, a byte-order mark, comments, empty lines, blanks and the header do no harm") {
    const auto file = parse_transfers(
        "\xEF\xBB\xBF# mine\r\nID,From_Bank,from_account,to_bank,to_account,amount,memo\r\n\r\n"
        "  \t\r\n T1 , a , 1 , b , 2 , 3 , für Zoë \r\n  # more\r\n\"T2\" , \"b\",1,a,2,4.05");
    CHECK(file.bad_count == 0);
    REQUIRE(file.transfers.size() == 2);
    CHECK(file.transfers[0].memo == "für Zoë");
    CHECK(file.transfers[0].cents == 300);
    CHECK(file.transfers[1].id == "T2");
    CHECK(file.transfers[1].cents == 405);
  }

  TEST_CASE("a header without memo is one too, and one further down is a bad row") {
    const std::string header = "id,from_bank,from_account,to_bank,to_account,amount";
    const auto file = parse_transfers(header + "\n" + "T1,a,1,b,2,3\n" + header + "\n");
    CHECK(file.transfers.size() == 1);
    REQUIRE(file.bad_count == 1);
    CHECK(file.bad_rows[0].line == 3);
  }

  TEST_CASE("what cannot be meant is reported with its line, and the rest goes on") {
    check_bad("x", "1 field where 6 or 7 are expected");
    check_bad("T;a;1;b;2;3", "separate them by commas");
    check_bad("T,a,1,b,2", "5 fields");
    check_bad("T,a,1,b,2,3,memo,more", "8 fields");
    check_bad("T,a,1,b,2,3,\"open", "does not end");
    check_bad("T,a,1,b,2,3,\"a\"b", "text after");
    check_bad("T,a,1,b,2,3,\xFF", "not UTF-8");
    check_bad("T,a,1,b,2,3,\xED\xA0\x80", "not UTF-8");
    check_bad(",a,1,b,2,3", "id ''");
    check_bad("T 1,a,1,b,2,3", "id 'T 1'");
    check_bad("Tü,a,1,b,2,3", "id");
    check_bad(std::string(65, 'T') + ",a,1,b,2,3", "id");
    check_bad("T1,a,1,b,2,3", "stands on line 1 already");
    check_bad("T,c,1,b,2,3", "from_bank 'c' is not a or b");
    check_bad("T,a,1,,2,3", "to_bank '' is not a or b");
    check_bad("T,a,1,a,2,3", "same bank");
    check_bad("T,a,one,b,2,3", "from_account 'one'");
    check_bad("T,a,1,b,-2,3", "to_account '-2'");
    check_bad("T,a,1,b,,3", "to_account ''");
    check_bad("T,a,1234567890,b,2,3", "from_account");
    check_bad("T,a,1,b,2,", "not a number");
    check_bad("T,a,1,b,2,much", "not a number");
    check_bad("T,a,1,b,2,1e3", "not a number");
    check_bad("T,a,1,b,2,\"1,000\"", "not a number");
    check_bad("T,a,1,b,2,1.", "not a number");
    check_bad("T,a,1,b,2,.5", "not a number");
    check_bad("T,a,1,b,2,1.005", "not a number");
    check_bad("T,a,1,b,2,-5", "negative");
    check_bad("T,a,1,b,2,0.00", "nothing");
    check_bad("T,a,1,b,2,1000000000.01", "more than 1,000,000,000.00");
    check_bad("T,a,1,b,2,99999999999999999999", "not a number");
    check_bad("T,a,1,b,2,3," + std::string(201, 'm'), "memo is longer");
  }

  TEST_CASE("bad rows are all counted and the first ten kept") {
    std::string text;
    for (int i = 0; i < 25; ++i) text += "bad\n";
    const auto file = parse_transfers(text);
    CHECK(file.bad_count == 25);
    REQUIRE(file.bad_rows.size() == kBadRowsKept);
    CHECK(file.bad_rows.back().line == 10);
  }

  // Method: random bytes that like to be structure; every line is a transfer, a bad row or nothing.
  TEST_CASE("no bytes whatever lose a line") {
    const std::string_view parts[] = {
        ",",  "\"", "\n", "\r\n", "a", "b",    "1", "12.50",     "#",        " ",
        "\t", ";",  "-",  "\\",   "ü", "\x80", "T", "a,1,b,2,3", "\xF0\x9F", "\xEF\xBB\xBF"};
    belay::test::Random random(20260301);
    for (int round = 0; round < 2'000; ++round) {
      std::string text;
      const auto size = random.below(40);
      for (std::uint64_t i = 0; i < size; ++i) text += parts[random.below(std::size(parts))];
      CAPTURE(text);
      std::size_t rows = 0;
      CsvReader reader(text);
      while (reader.next()) ++rows;
      const auto file = parse_transfers(text);
      CHECK(file.transfers.size() + file.bad_count == rows);
    }
  }

  TEST_CASE("a file that is missing, a directory or no text is one clear error") {
    const belay::test::TempDir dir;
    const auto missing = read_transfers(dir.file("none.csv"));
    REQUIRE_FALSE(missing);
    CHECK(missing.error().code == belay::ErrorCode::not_found);
    CHECK(missing.error().detail.find("none.csv") != std::string::npos);
    const auto directory = read_transfers(dir.path());
    REQUIRE_FALSE(directory);
    CHECK(directory.error().detail.find("directory") != std::string::npos);
    write_file(dir.file("utf16.csv"), std::string_view("\xFF\xFET\0001\0,\0", 8));
    const auto utf16 = read_transfers(dir.file("utf16.csv"));
    REQUIRE_FALSE(utf16);
    CHECK(utf16.error().detail.find("not UTF-8") != std::string::npos);
    write_file(dir.file("empty.csv"), "");
    const auto empty = read_transfers(dir.file("empty.csv"));
    REQUIRE(empty);
    CHECK(empty->transfers.empty());
  }

  TEST_CASE("a transfer's saga debits first and can undo both") {
    const auto file = parse_transfers("T1,b,1,a,2,3.50,rent\n");
    REQUIRE(file.transfers.size() == 1);
    const auto saga = saga_of(file.transfers[0]);
    CHECK(saga.gid() == "transfer-T1");
    CHECK(saga.settings().custom_data == "rent");
    REQUIRE(saga.steps().size() == 2);
    CHECK(saga.steps()[0].action == "bank-b.debit");
    CHECK(saga.steps()[0].compensate == "bank-b.undo_debit");
    CHECK(saga.steps()[0].payload == R"({"account":1,"cents":350})");
    CHECK(saga.steps()[1].action == "bank-a.credit");
    CHECK(saga.steps()[1].compensate == "bank-a.undo_credit");
  }
}

TEST_SUITE("demo/money") {
  TEST_CASE("amounts are written as people do, and read back") {
    CHECK(money(0) == "0.00");
    CHECK(money(7) == "0.07");
    CHECK(money(-123456) == "-1,234.56");
    CHECK(money(99999) == "999.99");
    CHECK(money(100000000) == "1,000,000.00");
    CHECK(money(INT64_MIN) == "-92,233,720,368,547,758.08");
    CHECK(parse_cents("12") == 1200);
    CHECK(parse_cents("12.3") == 1230);
    CHECK(parse_cents("012.34") == 1234);
    CHECK(parse_cents("999999999999999.99") == 99999999999999999);
    for (const char* text :
         {"", ".", "1.", ".1", "+1", "-1", "1 ", "1.234", "1..2", "0x1", "1000000000000000"}) {
      CAPTURE(text);
      CHECK_FALSE(parse_cents(text));
    }
  }
}
