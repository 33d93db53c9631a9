// protocol-fuzz [-max_total_time=60] NEW_FINDS CORPUS: libFuzzer over the HTTP API. What it finds
// is written into the first folder.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "fuzz/protocol_api.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static belay::test::ApiUnderFuzz api;
  int successes = 0;
  const auto broken = api.check({reinterpret_cast<const char*>(data), size}, successes);
  if (broken.empty()) return 0;
  std::fprintf(stderr, "%s\n", broken.c_str());
  std::abort();
}
