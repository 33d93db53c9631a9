// What must hold for any requests to the HTTP API: each is answered once, with a reply that clients
// can read, and the engine behind it stays well. Shared by the fuzzer and by the plain test of its
// corpus.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace belay::test {

// A service before a real engine on a temporary file; it lives through all inputs.
class ApiUnderFuzz {
 public:
  ApiUnderFuzz();
  ~ApiUnderFuzz();

  // `input`: requests after each other, each a line "METHOD PATH?NAME=VALUE&…" and a body up to the
  // next line "----". What broke, in a sentence; empty if all held. `successes` counts replies with
  // status 200.
  std::string check(std::string_view input, int& successes);

 private:
  class Site;
  std::unique_ptr<Site> site_;
};

}  // namespace belay::test
