// A name service that does not answer for one name. Whatever program is linked with this has its
// own getaddrinfo, which comes before the C library's, also for libcurl.
#pragma once

namespace belay::test {

constexpr const char* kSilentHost = "silent.example";

int silent_lookups_begun();
int silent_lookups_ended();
// Ends those under way; after eight seconds they end by themselves. Returns when they have.
void end_silent_lookups();

}  // namespace belay::test
