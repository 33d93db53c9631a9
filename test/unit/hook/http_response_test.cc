// What a response means, and what is not read at all.
#include <doctest/doctest.h>
#include <zlib.h>

#include <string>

#include "hook/http_date.h"
#include "hook/http_response.h"
#include "hook/json_rpc.h"

namespace belay::test {
namespace {

const std::string kNo = R"({"dtm_result":"FAILURE"})";

Outcome headed(std::string_view head, std::string_view body, long status = 200) {
  hook::HttpResponse answer;
  answer.begin(100'000, "");
  while (!head.empty()) {
    const auto end = head.find('\n') + 1;
    answer.take_head(head.substr(0, end));
    head.remove_prefix(end);
  }
  answer.take_head("\r\n");
  answer.take(body);
  return answer.outcome(status);
}

Outcome read(long status, std::string_view body) { return headed("", body, status); }
OutcomeKind kind(long status, std::string_view body) { return read(status, body).kind(); }

OutcomeKind rpc(std::string_view body, long status = 200) {
  hook::HttpResponse answer;
  answer.begin(100'000, "ä1");
  answer.take(body);
  return answer.outcome(status).kind();
}

std::string packed(std::string_view text, int window) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string gzip(std::string_view text) { return packed(text, MAX_WBITS + 16); }

// Each character as so many bytes, its own one at that place.
std::string wide(std::string_view text, std::size_t bytes, std::size_t at) {
  std::string out(text.size() * bytes, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) out[i * bytes + at] = text[i];
  return out;
}

}  // namespace

TEST_SUITE("hook/answer") {
  TEST_CASE("each row of the protocol's table, in its order") {
    using enum OutcomeKind;
    CHECK(kind(200, "") == success);
    CHECK(kind(200, "{\"dtm_result\":\"SUCCESS\"}") == success);
    CHECK(kind(425, "") == ongoing);
    CHECK(kind(425, "FAILURE") == ongoing);
    CHECK(kind(200, "ONGOING") == ongoing);
    CHECK(kind(409, "ONGOING") == ongoing);
    CHECK(kind(500, "{\"x\":\"ONGOING\",\"y\":\"FAILURE\"}") == ongoing);
    CHECK(kind(200, "FAILURE and ONGOING") == ongoing);
    CHECK(kind(409, "") == failure);
    CHECK(kind(200, "xFAILUREx") == failure);
    CHECK(kind(500, "FAILURE") == failure);
    for (const long status : {100, 201, 202, 204, 304, 400, 404, 410, 500, 502, 503, 504})
      CHECK(kind(status, "SUCCESS") == unknown);
    CHECK(kind(200, "failure ongoing Failure FAILUR ONGOIN") == success);
  }

  TEST_CASE("the body's start is the reason") {
    CHECK(read(409, " {\"message\":\"no seat\"}\r\n").reason() == "{\"message\":\"no seat\"}");
    CHECK(read(502, "<html>\n").reason() == "HTTP 502: <html>");
    CHECK(read(503, " \n ").reason() == "HTTP 503");
    CHECK(read(425, "later").reason() == "later");
    CHECK(read(500, std::string(5'000, 'x')).reason() == "HTTP 500: " + std::string(1'024, 'x'));
  }

  TEST_CASE("a word is seen wherever it stands and however it is cut") {
    const std::string body = "some FAILURE here";
    for (std::size_t a = 0; a <= body.size(); ++a) {
      for (std::size_t b = a; b <= body.size(); ++b) {
        hook::HttpResponse answer;
        answer.begin(100, "");
        answer.take(std::string_view(body).substr(0, a));
        answer.take(std::string_view(body).substr(a, b - a));
        answer.take(std::string_view(body).substr(b));
        CHECK(answer.outcome(200).kind() == OutcomeKind::failure);
      }
    }
    hook::HttpResponse answer;
    answer.begin(100'000, "");
    answer.take(std::string(50'000, 'x'));
    for (const char c : std::string("ONGOING")) answer.take({&c, 1});
    CHECK(answer.outcome(200).kind() == OutcomeKind::ongoing);
    CHECK(answer.outcome(200).reason().size() == 1'024);
  }

  TEST_CASE("what is larger than may be is not read, whatever it began with") {
    hook::HttpResponse answer;
    answer.begin(10, "");
    CHECK(answer.take("FAILURE..."));
    CHECK_FALSE(answer.take("."));
    CHECK(answer.outcome(409).kind() == OutcomeKind::unknown);
    CHECK(answer.outcome(200).reason() == "the response is larger than 10 bytes");
    answer.begin(10, "");
    CHECK(answer.outcome(200).kind() == OutcomeKind::success);
  }

  TEST_CASE("a word is seen though JSON writes its letters as escapes") {
    using enum OutcomeKind;
    const std::string body = R"({"dtm_result":"F\u0041IL\u0055R\u0045"})";
    CHECK(kind(200, body) == failure);
    CHECK(kind(200, R"(\u004fNGOING)") == ongoing);
    CHECK(kind(200, R"(FAIL\\u0055RE \u00C4 \u)") == success);
    CHECK(kind(200, R"(C:\uFAILURE C:\FAILURE)") == failure);
    for (std::size_t at = 0; at <= body.size(); ++at) {
      hook::HttpResponse answer;
      answer.begin(100, "");
      answer.take(std::string_view(body).substr(0, at));
      answer.take(std::string_view(body).substr(at));
      CHECK(answer.outcome(200).kind() == failure);
    }
  }
}

TEST_SUITE("hook/answer/unread") {
  using enum OutcomeKind;

  TEST_CASE("what gzip and deflate packed is read, however the head writes it") {
    for (const auto* head :
         {"Content-Encoding: gzip\r\n", "content-encoding:X-GZIP\r\n",
          "Content-Encoding: identity, gzip,\r\n", "Content-Encoding :\tgzip\n"}) {
      CHECK(headed(head, gzip("{}")).kind() == success);
      CHECK(headed(head, gzip(kNo)).kind() == failure);
      CHECK(headed(head, gzip(kNo)).reason() == kNo);
      CHECK(headed(head, gzip("ONGOING")).kind() == ongoing);
      CHECK(headed(head, gzip(std::string(90'000, 'x') + kNo)).kind() == failure);
    }
    for (const int window : {MAX_WBITS, -MAX_WBITS})
      CHECK(headed("Content-Encoding: deflate\r\n", packed(kNo, window)).kind() == failure);
    CHECK(headed("Content-Encoding: gzip\r\n", gzip("{\"dtm_result\":\"FAIL") + gzip("URE\"}"))
              .kind() == failure);
  }

  TEST_CASE("a packing that cannot be undone is never a yes, nor is one that was cut or spoilt") {
    const std::string whole = gzip("{}");
    for (std::size_t size = 0; size < whole.size(); ++size)
      CHECK(headed("Content-Encoding: gzip\r\n", whole.substr(0, size)).kind() == unknown);
    const auto no = gzip(kNo);
    for (std::size_t bit = 0; bit < no.size() * 8; ++bit) {
      auto spoilt = no;
      spoilt[bit / 8] = static_cast<char>(spoilt[bit / 8] ^ (1 << bit % 8));
      CHECK(headed("Content-Encoding: gzip\r\n", spoilt).kind() != success);
    }
    CHECK(headed("Content-Encoding: gzip\r\n", whole + "x").kind() == unknown);
    CHECK(headed("Content-Encoding: deflate\r\n", packed("{}", MAX_WBITS) + "x").kind() == unknown);
    CHECK(headed("Content-Encoding: gzip\r\n", "{}").kind() == unknown);
    CHECK(headed("Content-Encoding: gzip\r\n", kNo).kind() == unknown);
    CHECK(headed("", gzip("{}")).kind() == unknown);
    for (const auto* coding :
         {"br", "zstd", "compress", "gzip, gzip", "gzip,deflate", "*", "gzip;q=1"})
      CHECK(headed(std::string("Content-Encoding: ") + coding + "\r\n", "{}").kind() == unknown);
    CHECK(headed("Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n", gzip(whole)).kind() ==
          unknown);
    CHECK(headed("Content-Encoding:\r\n br\r\n", "{}").kind() == unknown);
    CHECK(headed("Transfer-Encoding: gzip, chunked\r\n", "{}").kind() == unknown);
    CHECK(headed("Content-Encoding: br\r\n", "{}").reason() ==
          "HTTP 200, the response cannot be read: its Content-Encoding 'br' cannot be undone");
  }

  TEST_CASE("what needs no reading is not refused for its head") {
    CHECK(headed("Content-Encoding: identity\r\n", "").kind() == success);
    CHECK(headed("Content-Encoding: utf-8\r\n", "{}").kind() == success);
    CHECK(headed("Content-Type: text/plain; charset=utf-16\r\n", "").kind() == success);
    CHECK(headed("Transfer-Encoding: chunked\r\n", "{}").kind() == success);
    CHECK(headed("Content-Encoding: br\r\nHTTP/1.1 200 OK\r\n", "{}").kind() == success);
  }

  TEST_CASE("letters that are not ASCII's bytes are not read") {
    for (const auto* charset :
         {"utf-16", "UTF-16LE", "utf-32", "utf-7", "ibm037", "EBCDIC-US", "iso-2022-jp",
          "hz-gb-2312", "ucs-2", "\"utf-16\"", "no-such", ""}) {
      const auto head = "Content-Type: text/plain; x=y; Charset=" + std::string(charset) + "\r\n";
      CHECK_MESSAGE(headed(head, "{}").kind() == unknown, charset);
    }
    for (const auto* charset :
         {"utf-8", "UTF8", "\"utf-8\"", "us-ascii", "ISO-8859-15", "windows-1252", "GBK"}) {
      const auto head = "Content-Type: text/plain;charset=" + std::string(charset) + "\r\n";
      CHECK_MESSAGE(headed(head, "{}").kind() == success, charset);
      CHECK(headed(head, kNo).kind() == failure);
    }
    CHECK(headed("", wide("{}", 2, 0)).kind() == unknown);
    CHECK(headed("", wide(kNo, 2, 1)).kind() == unknown);
    CHECK(headed("", wide(kNo, 4, 0)).kind() == unknown);
    CHECK(headed("", wide(kNo, 4, 3)).kind() == unknown);
    CHECK(headed("", "\xff\xfe\x4e\x4e").kind() == unknown);
    CHECK(headed("", "+/v8-FAILURE").kind() == unknown);
    CHECK(headed("", "\xef\xbb\xbf{}").kind() == success);
    CHECK(headed("Content-Encoding: gzip\r\n", gzip(wide(kNo, 2, 0))).kind() == unknown);
  }

  TEST_CASE("409 and 425 speak by their status, whatever cannot be read") {
    CHECK(headed("Content-Encoding: br\r\n", "?", 409).kind() == failure);
    CHECK(headed("Content-Encoding: br\r\n", "?", 425).kind() == ongoing);
    CHECK(headed("Content-Encoding: br\r\n", kNo, 500).kind() == unknown);
  }

  TEST_CASE("the limit holds for what is unpacked, too, and what is beyond is not made") {
    const auto bomb = gzip(std::string(200'000, 'x'));
    CHECK(bomb.size() < 1'000);
    hook::HttpResponse answer;
    answer.begin(100'000, "");
    for (const auto* line : {"Content-Encoding: gzip\r\n", "\r\n"}) answer.take_head(line);
    CHECK_FALSE(answer.take(bomb));
    CHECK(answer.outcome(200).reason() == "the response is larger than 100000 bytes");
    CHECK(headed("Content-Encoding: gzip\r\n", gzip(std::string(100'000, 'x'))).kind() == success);
  }

  TEST_CASE("what is kept of all answers has a bound in bytes, and ends with each") {
    hook::KeptBytes all{.max = 5'000};
    {
      hook::HttpResponse lone(all);
      lone.begin(100'000, "0");
      CHECK(lone.take(std::string(50'000, ' ')));
      CHECK(lone.take(std::string(40'000, ' ')));
    }
    hook::HttpResponse first(all);
    first.begin(100'000, "1");
    CHECK(first.take(std::string(4'000, ' ')));
    {
      hook::HttpResponse second(all);
      second.begin(100'000, "2");
      CHECK_FALSE(second.take(std::string(2'000, ' ')));
      CHECK(second.given_up());
      CHECK(second.outcome(200).kind() == OutcomeKind::unknown);
      second.begin(100'000, "");  // of what is no JSON-RPC the start is kept
      CHECK(second.take(std::string(50'000, ' ')));
      CHECK(second.outcome(200).kind() == OutcomeKind::success);
      second.begin(100'000, "3");
      first.forget();
      CHECK(second.take(std::string(3'000, ' ')));
      CHECK(all.now == 3'000);
    }
    CHECK(all.now == 0);
  }
}

TEST_SUITE("hook/json_rpc") {
  using enum OutcomeKind;

  TEST_CASE("an answer to this call says what it says") {
    CHECK(rpc(R"({"jsonrpc":"2.0","result":null,"id":"ä1"})") == success);
    CHECK(rpc(R"({"error":null,"result":{},"id":"\u00e41"})") == success);
    CHECK(rpc("\xef\xbb\xbf{\"id\":\"ä1\",\"result\":0}") == success);
    CHECK(rpc(R"({"id":"ä1","error":{"code":-32901,"message":"no"}})") == failure);
    CHECK(rpc(R"({"id":"ä1","error":{"message":"not yet","code" : -32902 },"result":{}})") ==
          ongoing);
    CHECK(rpc(R"({"id":"ä1","\u0065rror":{"c\u006fde":-32901}})") == failure);
    CHECK(rpc(R"({"id":"ä1","error":{"code":-32603,"message":"no money FAIL\u0055RE"}})") ==
          failure);
    CHECK(rpc(R"({"id":"ä1","error":{"code":1}})", 500) == unknown);
    CHECK(rpc(R"({"id":"ä1","error":{"code":-32901}})", 500) == failure);
    CHECK(rpc("", 409) == failure);
    CHECK(rpc("", 425) == ongoing);
  }

  TEST_CASE("dtm's words are read in every text of an answer, and not in its names") {
    CHECK(rpc(R"({"dtm_result":"SUCCESS"})") == success);
    CHECK(rpc(R"({"dtm_result":"FAIL\u0055RE"})") == failure);
    CHECK(rpc(R"({"dtm_result":"ONGOING"})", 500) == ongoing);
    CHECK(rpc(R"({"id":"ä1","result":"no money: FAILURE"})") == failure);
    CHECK(rpc(R"({"id":"ä1","result":{"status":["FAILURE"]}})") == failure);
    CHECK(rpc(R"({"id":"ä1","result":{"dtm_result":"ONGOING"}})") == ongoing);
    CHECK(rpc(R"({"id":"ä1","result":{"message":"FAIL\u0055RE: no funds"}})") == failure);
    CHECK(rpc(R"({"id":"ä1","result":[{"message":"still ONGOING, FAILURE is possible"}]})") ==
          ongoing);
    CHECK(rpc(R"({"id":"ä1","result":{"FAILURE":0}})") == success);
  }

  TEST_CASE("what is no answer to this call is unknown, whatever words it has") {
    for (const auto* body : {"",
                             "{}",
                             "FAILURE",
                             "[]",
                             R"([{"id":"ä1","result":1}])",
                             R"({"id":"ä1","result":1} x)",
                             R"({"id":"ä1"})",
                             R"({"id":"ä1","error":null})",
                             R"({"result":1})",
                             R"({"id":"2","result":1})",
                             R"({"id":1,"result":1})",
                             R"({"id":null,"result":1})",
                             R"({"id":"2","error":{"code":-32901,"message":"FAILURE"}})",
                             R"({"id":"ä1","result":1,"error":{"code":-32901}})",
                             R"({"id":"ä1","result":1,"result":2})",
                             R"({"id":"ä1","id":"2","result":1})",
                             R"({"id":"ä1","result":1,"r\u0065sult":2})",
                             R"({"id":"ä1","error":{"code":-32901,"code":1}})",
                             R"({"jsonrpc":"1.0","id":"ä1","result":1})",
                             R"({"id":"ä1","error":"broken"})",
                             R"({"id":"ä1","error":[]})",
                             R"({"id":"ä1","error":{"code":"-32901"}})",
                             R"({"id":"ä1","error":false})",
                             "{\"id\":\"ä1\",\"result\":\"\xff\"}",
                             R"({"dtm_result":"SUCCESS","id":"2"})"})
      CHECK_MESSAGE(rpc(body) == unknown, body);
    CHECK(rpc(R"({"id":"ä1","result":)" + std::string(300, '[') + std::string(300, ']') + "}") ==
          unknown);
    CHECK(rpc(R"({"id":"ä1","result":1})", 500) == unknown);
    CHECK(hook::read_json_rpc(R"({"id":"x","error":{"code":-32603}})", "x").reason() ==
          R"(JSON-RPC error: {"code":-32603})");
  }

  TEST_CASE("429 and 503 may ask for a pause, in seconds or until a date") {
    const auto pause = [](std::string_view headers, long status = 503) {
      return headed("HTTP/1.1 503 X\r\n" + std::string(headers), "", status).retry_after().count();
    };
    const std::string now = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    CHECK(pause("Retry-After: 120\r\n") == 120'000);
    CHECK(pause("retry-after:7\r\n", 429) == 7'000);
    CHECK(pause("Retry-After: 4294967295\r\n") == 4'294'967'295'000);
    CHECK(pause(now + "Retry-After: Sun, 06 Nov 1994 08:50:07 GMT\r\n") == 30'000);
    CHECK(pause("Retry-After: Mon, 07 Nov 1994 08:49:37 GMT\r\n" + now) == 86'400'000);
    CHECK(pause(now + "Retry-After: Sun, 06 Nov 1994 08:49:07 GMT\r\n") == -30'000);
    CHECK(headed("Retry-After: 5\r\n", "ONGOING", 503).kind() == OutcomeKind::ongoing);
    CHECK(headed("Retry-After: 5\r\n", "ONGOING", 503).retry_after() == Millis{5'000});
    CHECK(pause("Retry-After: 5\r\nHTTP/1.1 503 X\r\n") == 0);  // of an earlier head
    for (const int status : {200, 409, 425, 500, 502})
      CHECK(pause("Retry-After: 120\r\n", status) == 0);
    for (const auto* nonsense : {"", "-1", "+1", "1.5", "0x10", "soon", "5, 7", "4294967296",
                                 "Sun, 06 Nov 1994 08:50:07 GMT and more",
                                 "Sun, 06 Nov 1994 08:50:07", "Sunday, 06-Nov-94 08:50:07 GMT"})
      CHECK_MESSAGE(pause(now + "Retry-After: " + nonsense + "\r\n") == 0, nonsense);
    CHECK(pause("Retry-After: 5\r\nRetry-After: 5\r\n") == 0);
    CHECK(pause("Retry-After: Sun, 06 Nov 1994 08:50:07 GMT\r\n") == 0);  // without a Date
  }

  TEST_CASE("a date is read whole, and must exist") {
    const auto ms = [](std::string_view text) {
      const auto time = hook::parse_http_date(text);
      return time ? time->time_since_epoch().count() : -1;
    };
    CHECK(ms("Thu, 01 Jan 1970 00:00:00 GMT") == 0);
    CHECK(ms("Sun, 06 Nov 1994 08:49:37 GMT") == 784'111'777'000);
    CHECK(ms("Thu, 29 Feb 2024 23:59:60 GMT") == 1'709'251'200'000);
    for (const auto* text :
         {"Mon, 06 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
          "Sun, 06 Abc 1994 08:49:37 GMT", "Wed, 29 Feb 2023 00:00:00 GMT",
          "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
          "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06 Nov 1994 08:49:37 UTC",
          "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 00 Nov 1994"})
      CHECK_MESSAGE(ms(text) == -1, text);
  }
}

}  // namespace belay::test
