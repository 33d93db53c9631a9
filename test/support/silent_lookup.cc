#include "support/silent_lookup.h"

#include <dlfcn.h>
#include <netdb.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string_view>

namespace belay::test {
namespace {

std::mutex lookup_mutex;
std::condition_variable lookup_changed;
bool silence_over = false;
int lookups_begun = 0;
int lookups_ended = 0;

void look_up_in_vain() {
  std::unique_lock lock(lookup_mutex);
  ++lookups_begun;
  lookup_changed.wait_for(lock, std::chrono::seconds(8), [] { return silence_over; });
  ++lookups_ended;
  lookup_changed.notify_all();
}

}  // namespace

int silent_lookups_begun() {
  const std::lock_guard lock(lookup_mutex);
  return lookups_begun;
}

int silent_lookups_ended() {
  const std::lock_guard lock(lookup_mutex);
  return lookups_ended;
}

void end_silent_lookups() {
  std::unique_lock lock(lookup_mutex);
  silence_over = true;
  lookup_changed.notify_all();
  lookup_changed.wait(lock, [] { return lookups_ended == lookups_begun; });
  silence_over = false;
}

}  // namespace belay::test

extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                           addrinfo** found) {
  using Lookup = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto real = reinterpret_cast<Lookup>(dlsym(RTLD_NEXT, "getaddrinfo"));
  if (node == nullptr || std::string_view(node) != belay::test::kSilentHost) {
    return real(node, service, hints, found);
  }
  belay::test::look_up_in_vain();
  return EAI_AGAIN;
}
