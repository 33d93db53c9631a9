#include "base/file.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace belay::base {

TEST_SUITE("base/file") {
  TEST_CASE("a file has its bytes, one that is not there none") {
    auto folder = (std::filesystem::temp_directory_path() / "belay-file-XXXXXX").string();
    REQUIRE(mkdtemp(folder.data()) != nullptr);
    const auto path = folder + "/file";
    CHECK(file_bytes(path) == 0);
    std::ofstream(path) << "seven b";
    CHECK(file_bytes(path) == 7);
    std::filesystem::remove_all(folder);
  }
}

}  // namespace belay::base
