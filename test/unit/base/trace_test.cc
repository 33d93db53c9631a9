#include "base/trace.h"

#include <doctest/doctest.h>

#include <string>

TEST_SUITE("base/trace") {
  using belay::base::trace_id_of;

  TEST_CASE("only a well-formed traceparent has a trace id") {
    const std::string good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    CHECK(trace_id_of(good) == "0af7651916cd43dd8448eb211c80319c");
    CHECK(trace_id_of("cc" + good.substr(2) + "-more") == "0af7651916cd43dd8448eb211c80319c");
    for (const auto& bad : {
             std::string(),
             good.substr(0, 54),
             good + "-more",                  // this version has no more
             "cc" + good.substr(2) + "more",  // not apart
             "ff" + good.substr(2),           // a version that is none
             "0g" + good.substr(2),
             std::string("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"),
             std::string("00-00000000000000000000000000000000-b7ad6b7169203331-01"),
             std::string("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"),
             std::string("00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01"),
             std::string("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0\n"),
         }) {
      CAPTURE(bad);
      CHECK(trace_id_of(bad) == "");
    }
  }
}
