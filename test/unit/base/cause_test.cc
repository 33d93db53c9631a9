// What is said of causes holds for the inputs that a state file may have.
#include "base/cause.h"

#include <doctest/doctest.h>

namespace belay::base {

TEST_SUITE("base/cause") {
  TEST_CASE("the host of a URL is named as the figures name it") {
    CHECK(host_of("http://Stock.Example/a?b=http://c") == "http://stock.example");
    CHECK(host_of("HTTPS://u:p@h@stock.example:443/a") == "https://stock.example");
    CHECK(host_of("http://stock.example:443?a") == "http://stock.example:443");
    CHECK(host_of("jsonrpc+https://[::1]:8443/b?method=c") == "https://[::1]:8443");
    CHECK(host_of("http://") == "http://");
    CHECK(host_of("bank.credit").empty());
    CHECK(host_of("topic://news").empty());
    CHECK(host_of("").empty());
  }

  TEST_CASE("an error's cause is the error without its ids, long numbers and times") {
    CHECK(cause_of("HTTP 502: order 17234 is locked") == "HTTP 502: order … is locked");
    CHECK(cause_of("account 7f3a09bc-44aa-4f is closed") == "account …-44aa-4f is closed");
    CHECK(cause_of("no answer after 12 ms, then 9 ms") == "no answer after … ms, then … ms");
    CHECK(cause_of("unavailable") == "unavailable");
    CHECK(cause_of("Größe 123: \xff") == "Größe 123: \xff");
    CHECK(cause_of("").empty());
  }
}

}  // namespace belay::base
