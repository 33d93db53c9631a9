// libcurl has no memory, at each place in turn where a call is handed over.
#include <curl/curl.h>
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <string>

#include "support/http_peer.h"
#include "unit/hook/hook_site.h"

namespace belay::test {

namespace {

// How many more times memory is given until it is refused once; negative: always given.
std::atomic<long> given_until{-1};

bool refused() { return given_until.load() >= 0 && given_until.fetch_sub(1) == 0; }

const bool memory_is_ours =
    curl_global_init_mem(
        CURL_GLOBAL_DEFAULT,
        [](std::size_t size) { return refused() ? nullptr : std::malloc(size); },
        [](void* memory) { std::free(memory); },
        [](void* memory, std::size_t size) {
          return refused() ? nullptr : std::realloc(memory, size);
        },
        [](const char* text) { return refused() ? nullptr : ::strdup(text); },
        [](std::size_t count, std::size_t size) {
          return refused() ? nullptr : std::calloc(count, size);
        }) == CURLE_OK;

}  // namespace

TEST_SUITE("hook/memory") {
  TEST_CASE("without memory for libcurl the hooks say so") {
    REQUIRE(memory_is_ours);
    given_until = 0;
    const auto made = hook::Hooks::make({}, 1);
    given_until = -1;
    REQUIRE(!made.has_value());
    CHECK(made.error().code == ErrorCode::resources);
  }

  // Only while the call is handed over: libcurl 7.88 does not survive each refusal later on.
  TEST_CASE("a call that libcurl has no memory for is unknown, and the next one is made") {
    HttpPeer peer([](const PeerRequest&) { return say(200); });
    unsigned unknown = 0;
    bool was_refused = true;
    for (long at = 0; was_refused && at < 1'000; ++at) {
      HookSite site;
      given_until = at;
      const auto id = site.start(peer.url("/"));
      was_refused = given_until.exchange(-1) < 0;
      const auto outcome = site.answer(id);
      CAPTURE(at);
      if (outcome.kind() != OutcomeKind::success) {
        ++unknown;
        CHECK(outcome.kind() == OutcomeKind::unknown);
        CHECK(!outcome.reason().empty());
      }
      CHECK(site.call(peer.url("/")).kind() == OutcomeKind::success);
    }
    CHECK(!was_refused);
    CHECK(unknown >= 2);
  }
}

}  // namespace belay::test
