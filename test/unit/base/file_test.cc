#include "base/file.h"

#include <doctest/doctest.h>

#include <fstream>

#include "support/process.h"

namespace belay::base {

TEST_SUITE("base/file") {
  TEST_CASE("a file has its bytes, one that is not there none") {
    const test::TempDir folder;
    const auto path = folder.file("file");
    CHECK(file_bytes(path) == 0);
    std::ofstream(path) << "seven b";
    CHECK(file_bytes(path) == 7);
  }
}

}  // namespace belay::base
