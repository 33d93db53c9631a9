// grpc-fuzz [-max_total_time=60] NEW_FINDS CORPUS: libFuzzer over the messages of gRPC's door. What
// it finds is written into the first folder.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "fuzz/grpc/message_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  bool was_read = false;
  const auto broken =
      belay::test::check_message({reinterpret_cast<const char*>(data), size}, was_read);
  if (broken.empty()) return 0;
  std::fprintf(stderr, "%s\n", broken.c_str());
  std::abort();
}
