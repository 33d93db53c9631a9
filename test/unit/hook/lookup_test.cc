// A name service that does not answer.
#include <dlfcn.h>
#include <doctest/doctest.h>
#include <netdb.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "support/http_peer.h"
#include "unit/hook/hook_site.h"

using namespace std::chrono_literals;

namespace {

constexpr std::string_view kSilent = "silent.example";

std::mutex mutex;
std::condition_variable changed;
bool silence_over = false;
std::atomic<int> lookups_begun{0};
std::atomic<int> lookups_ended{0};

}  // namespace

// This program's comes before the C library's, also for libcurl.
extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                           addrinfo** found) {
  using Lookup = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto real = reinterpret_cast<Lookup>(dlsym(RTLD_NEXT, "getaddrinfo"));
  if (node == nullptr || node != kSilent) return real(node, service, hints, found);
  ++lookups_begun;
  {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, 8s, [] { return silence_over; });
  }
  ++lookups_ended;
  return EAI_AGAIN;
}

namespace belay::test {

TEST_SUITE("hook/lookup") {
  TEST_CASE("a lookup that hangs costs its call's time, and holds nobody up") {
    HttpPeer peer([](const PeerRequest&) { return say(200); });
    auto site = std::make_unique<HookSite>();
    const auto begin = std::chrono::steady_clock::now();
    const auto hanging = site->start("http://" + std::string(kSilent) + "/", 1s);
    CHECK(site->run_until([] { return lookups_begun == 1; }));
    CHECK(site->call(peer.url("/")).kind() == OutcomeKind::success);
    CHECK_FALSE(site->has(hanging));
    CHECK(site->answer(hanging).kind() == OutcomeKind::unknown);
    CHECK(site->call(peer.url("/")).kind() == OutcomeKind::success);

    // Neither does one that is under way at the end.
    site->start("http://" + std::string(kSilent) + ":81/");
    CHECK(site->run_until([] { return lookups_begun == 2; }));
    site.reset();
    CHECK(lookups_ended == 0);
    CHECK(std::chrono::steady_clock::now() - begin < 5s);

    {
      const std::lock_guard lock(mutex);
      silence_over = true;
    }
    changed.notify_all();
    while (lookups_ended < lookups_begun) std::this_thread::yield();
  }
}

}  // namespace belay::test
