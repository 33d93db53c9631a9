// hook-fuzz [-max_total_time=60] NEW_FINDS CORPUS: libFuzzer over what hooks read. What it finds is
// written into the first folder.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "fuzz/hook/hook_bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  bool read = false;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto broken = belay::test::check_hook_bytes(input, read);
  if (broken.empty()) return 0;
  std::fprintf(stderr, "%s\n", broken.c_str());
  std::abort();
}
