// The files of a fuzzer's corpus, in the order of their names.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

namespace belay::test {

// `variable` of the environment names the folder.
inline std::vector<std::string> read_corpus(const char* variable) {
  const char* folder = std::getenv(variable);
  REQUIRE_MESSAGE(folder != nullptr, variable, " names the folder of the corpus");
  std::set<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) paths.insert(entry.path());
  std::vector<std::string> inputs;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return inputs;
}

}  // namespace belay::test
