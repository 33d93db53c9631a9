#include "base/new_file.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "support/process.h"

namespace belay::base {
namespace {

namespace fs = std::filesystem;

TEST_SUITE("base/new_file") {
  TEST_CASE("it has its name when it is finished, and is gone if it is not") {
    const test::TempDir dir;
    const auto path = dir.file("whole");
    {
      auto file = NewFile::make(path, "test");
      REQUIRE(file.has_value());
      CHECK(::write(file->descriptor(), "text", 4) == 4);
      CHECK(!fs::exists(path));
      CHECK(!NewFile::make(path, "test").has_value());  // its part is there
      REQUIRE(file->finish().has_value());
    }
    CHECK(fs::file_size(path) == 4);
    CHECK(!fs::exists(path + ".part"));
    CHECK(!NewFile::make(path, "test").has_value());
    const auto left = dir.file("left");
    static_cast<void>(NewFile::make(left, "test").has_value());
    CHECK(!fs::exists(left + ".part"));
  }

  TEST_CASE("a file that took the place of its part gets no name, and stays") {
    const test::TempDir dir;
    const auto path = dir.file("whole");
    {
      auto file = NewFile::make(path, "test");
      REQUIRE(file.has_value());
      fs::remove(file->part());
      const auto gone = file->finish();
      REQUIRE(!gone.has_value());
      CHECK(gone.error().detail.find("was removed or replaced") != std::string::npos);
      std::ofstream(file->part()) << "theirs";
      CHECK(!file->finish().has_value());
    }
    CHECK(!fs::exists(path));
    CHECK(fs::file_size(path + ".part") == 6);
  }
}

}  // namespace
}  // namespace belay::base
