// Heads that a proxy in front of the server may read in another way, and a second request that
// hides behind each of them.
#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "raw_client.h"
#include "serve/http/server.h"
#include "started.h"

using namespace std::string_literals;

namespace belay::http {
namespace {

const std::string kPost = "POST /first HTTP/1.1\r\n";
const std::string kHost = "Host: x\r\n";
const std::string kLength = "Content-Length: 2\r\n";
const std::string kChunked = "Transfer-Encoding: chunked\r\n";
const std::string kBody = "\r\n{}";
const std::string kSecond = "GET /second HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

// Everything that comes back before the connection ends.
std::string answers_to(const Server& server, const std::string& first) {
  test::RawClient client(server.port());
  client.send(first + kSecond);
  return client.receive_until("never");
}

std::size_t heads_in(const std::string& text) {
  std::size_t count = 0;
  for (auto at = text.find("HTTP/1.1 "); at != text.npos; at = text.find("HTTP/1.1 ", at + 1))
    ++count;
  return count;
}

}  // namespace

TEST_SUITE("http heads") {
  TEST_CASE("a head that is no strict one is answered 400, and nothing behind it is read") {
    const auto server = started({});
    for (const auto& bad : std::vector<std::pair<const char*, std::string>>{
             {"a blank before a colon",
              kPost + kHost + "Transfer-Encoding : chunked\r\n" + kLength},
             {"the same in the length", kPost + kHost + "Content-Length : 2\r\n"},
             {"a tab before a colon", kPost + kHost + kLength + "X\t: y\r\n"},
             {"a folded line", kPost + kHost + "X: a\r\n b\r\n" + kLength},
             {"a folded last line", kPost + kHost + kLength + "X: a\r\n\tb\r\n"},
             {"a folded empty line", kPost + kHost + kLength + "X: a\r\n \r\n"},
             {"a first line that looks folded", kPost + " X: a\r\n" + kHost + kLength},
             {"LF after the request line", "POST /first HTTP/1.1\n" + kHost + kLength},
             {"LF after a field", kPost + "Host: x\n" + kLength},
             {"LF after the last field", kPost + kHost + "Content-Length: 2\n"},
             {"CR between fields", kPost + "Host: x\rX: y\r\n" + kLength},
             {"CR in a value", kPost + kHost + "X: a\rb\r\n" + kLength},
             {"CR before the line's end", kPost + kHost + "X: a\r\r\n" + kLength},
             {"CR in the request line", "POST /first HTTP/1.1\rX: y\r\n" + kHost + kLength},
             {"NUL in a value", kPost + kHost + "X: a\0b\r\n"s + kLength},
             {"NUL in the last value", kPost + kHost + kLength + "X: a\0b\r\n"s},
             {"NUL in the length", kPost + kHost + "Content-Length: 2\0x\r\n"s},
             {"NUL in a name", kPost + kHost + "X\0: a\r\n"s + kLength},
             {"NUL as a line", kPost + kHost + kLength + "\0: a\r\n"s},
             {"NUL in the target", "POST /first\0x HTTP/1.1\r\n"s + kHost + kLength},
             {"NUL in the method", "PO\0ST /first HTTP/1.1\r\n"s + kHost + kLength},
             {"a blank in the target", "POST /first x HTTP/1.1\r\n" + kHost + kLength},
             {"two blanks", "POST  /first HTTP/1.1\r\n" + kHost + kLength},
             {"a method that is no word", "{}POST /first HTTP/1.1\r\n" + kHost + kLength},
             {"a control character", kPost + kHost + "X: \x1b[0m\r\n" + kLength},
             {"a field without a name", kPost + kHost + ": y\r\n" + kLength},
             {"no host", kPost + kLength},
             {"two hosts", kPost + kHost + kHost + kLength},
             {"two hosts in HTTP/1.0", "POST /first HTTP/1.0\r\n" + kHost + kHost + kLength},
             {"a list of lengths", kPost + kHost + "Content-Length: 2, 2\r\n"},
             {"a length with a sign", kPost + kHost + "Content-Length: +2\r\n"},
             {"the length twice", kPost + kHost + kLength + kLength},
             {"length and coding", kPost + kHost + kLength + kChunked},
             {"the coding twice", kPost + kHost + kChunked + kChunked},
             {"an unknown coding", kPost + kHost + "Transfer-Encoding: gzip\r\n"},
             {"a list of codings", kPost + kHost + "Transfer-Encoding: gzip, chunked\r\n"},
             {"a blank behind the coding", kPost + kHost + "Transfer-Encoding: chunked \r\n"},
             {"a tab behind the coding", kPost + kHost + "Transfer-Encoding: chunked\t\r\n"},
             {"an empty coding", kPost + kHost + "Transfer-Encoding:\r\n"},
             {"a coding in HTTP/1.0", "POST /first HTTP/1.0\r\n" + kHost + kChunked},
         }) {
      CAPTURE(std::string(bad.first));
      const auto answers = answers_to(*server, bad.second + kBody);
      CHECK(answers.starts_with("HTTP/1.1 400 "));
      CHECK(answers.find("200 OK") == std::string::npos);
      CHECK(answers.find("Connection: close") != std::string::npos);
    }
    const auto lf_end = answers_to(*server, kPost + kHost + "Content-Length: 2\r\n\n{}");
    CHECK(lf_end.starts_with("HTTP/1.1 400 "));
    CHECK(heads_in(lf_end) == 1);
    CHECK(server->figures().requests == 0);
  }

  TEST_CASE("what is strict is answered, however odd, and so is the request behind it") {
    const auto server = started({});
    for (const auto& head : {
             kPost + kHost + kLength + kBody,
             kPost + "host:x\r\ncontent-length:2\r\n" + kBody,
             kPost + kHost + "Content-Length: \t 2\r\n" + kBody,
             kPost + kHost + kLength + "X: a \t\r\n" + kBody,
             kPost + kHost + kLength + "X:\r\nY: \r\nZ: ; \t\xc3\xa4\r\n" + kBody,
             kPost + kHost + kLength + "Cookie: a=b; c=\"d;e\"; f\r\n" + kBody,
             "POST /a%20b%00c?d=e%26f&g&h=+&&=x HTTP/1.1\r\n" + kHost + kLength + kBody,
             "POST /\xc3\xa4? HTTP/1.1\r\n" + kHost + kLength + kBody,
             "\r\n\r\n" + kPost + kHost + kLength + kBody,
         }) {
      CAPTURE(std::string(head));
      const auto answers = answers_to(*server, head);
      CHECK(heads_in(answers) == 2);
      CHECK(answers.find(" 400 ") == std::string::npos);
    }
    CHECK(answers_to(*server, "GET / HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 200 "));
  }

  TEST_CASE("nothing behind a body in chunks is read, since its lines are not seen") {
    const auto server = started({});
    for (const auto& body :
         {"2\r\n{}\r\n0\r\n\r\n", "2\n{}\n0\n\n", "2;x=\"\n\"\r\n{}\r\n0\r\nX: y\n\r\n"}) {
      CAPTURE(std::string(body));
      const auto answers =
          answers_to(*server, kPost + kHost + "Transfer-Encoding: Chunked\r\n\r\n" + body);
      CHECK(answers.starts_with("HTTP/1.1 "));
      CHECK(heads_in(answers) == 1);
      CHECK(answers.find("Connection: close") != std::string::npos);
    }
  }

  TEST_CASE("a field's value has no blanks around it, and keeps those within it") {
    const auto server = started({}, [](const http::Request& request, const http::Respond& respond) {
      respond({200, "text/plain", "<" + std::string(request.header("X")) + "> bytes", {}});
    });
    for (const auto* line : {"X:a \t b\r\n", "X: a \t b\r\n", "X: \t a \t b\t \r\n"})
      CHECK(answers_to(*server, kPost + kHost + kLength + line + kBody).find("<a \t b> bytes") !=
            std::string::npos);
  }

  TEST_CASE("a long head in pieces is no less strict") {
    const auto server = started({});
    std::string fields;
    for (int i = 0; i < 60; ++i) {
      const auto number = std::to_string(i);
      fields += "X-" + number + ": " + std::string(static_cast<std::size_t>(i * 7), 'y') + "\r\n";
    }
    const auto answer_to = [&](const std::string& text) {
      test::RawClient client(server->port());
      for (std::size_t at = 0; at < text.size(); at += 97) client.send(text.substr(at, 97));
      return client.receive_until("bytes").substr(0, 12);
    };
    const auto end = "Connection: close\r\n" + kLength + kBody;
    CHECK(answer_to(kPost + fields + kHost + end) == "HTTP/1.1 200");
    CHECK(answer_to(kPost + fields + "Host: x\n" + end) == "HTTP/1.1 400");
  }
}

}  // namespace belay::http
