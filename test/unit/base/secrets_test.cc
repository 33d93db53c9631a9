#include "base/secrets.h"

#include <doctest/doctest.h>

#include <string>

#include "base/log.h"

namespace belay::test {

TEST_SUITE("base/secrets") {
  TEST_CASE("a URL gives away neither its user nor its tokens") {
    const auto hides = [](std::string_view text) { return base::without_secrets(text); };
    CHECK(hides("http://host/x?a=b#c") == "http://host/x?a=b#c");
    CHECK(hides("http://user:word@host/x") == "http://***@host/x");
    CHECK(hides("jsonrpc+https://u@h?method=m") == "jsonrpc+https://***@h?method=m");
    CHECK(hides("http://u:p@q@h/a@b") == "http://***@h/a@b");
    CHECK(hides("http://h?Access_Token=1&a=2&sig=3#f") ==
          "http://h?Access_Token=***&a=2&sig=***#f");
    CHECK(hides("http://h/?api-key=") == "http://h/?api-key=***");
    CHECK(hides("http://h/?token") == "http://h/?token");
    CHECK(hides("http://u:p(w)'x@h/") == "http://***@h/");
    CHECK(hides("(http://h/x?token=ab'c(d)): why") == "(http://h/x?token=***)): why");
    CHECK(hides("http://h/?token=): why") == "http://h/?token=***): why");
    CHECK(hides("http://") == "http://");
    CHECK(hides("a name: no@url") == "a name: no@url");
    CHECK(hides("") == "");
  }

  TEST_CASE("a URL without a scheme is one where nothing else may stand") {
    CHECK(base::url_without_secrets("me:word@proxy:3128") == "***@proxy:3128");
    CHECK(base::url_without_secrets("proxy:3128") == "proxy:3128");
    CHECK(base::url_without_secrets("http://me:word@proxy/") == "http://***@proxy/");
    CHECK(base::url_without_secrets("") == "");
  }

  TEST_CASE("every URL within a text is looked at") {
    CHECK(base::without_secrets(
              "branch 02 (http://u:p@h/x): no answer from https://v@i?token=2 yet") ==
          "branch 02 (http://***@h/x): no answer from https://***@i?token=*** yet");
  }

  TEST_CASE("a log line gives them away no more than a list") {
    std::string line;
    const auto keep = [](const LogLine& told, void* into) {
      *static_cast<std::string*>(into) = told.text;
    };
    const base::Log log(keep, &line, LogLevel::info);
    log.info("{} does not answer", "http://user:word@host/x");
    CHECK(line == "http://***@host/x does not answer");
  }

  TEST_CASE("names of secrets") {
    for (const auto* name :
         {"Authorization", "proxy-authorization", "COOKIE", "Set-Cookie", "X-Auth-Token",
          "x-api-key", "client_secret", "Signature", "sig", "key"})
      CHECK(base::is_secret_name(name));
    for (const auto* name : {"", "Content-Type", "X-Trace", "sign", "keys"})
      CHECK_FALSE(base::is_secret_name(name));
  }
}

}  // namespace belay::test
