// Results count only if the work was done: compares the content of the state file after the run
// with the answers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "samples.h"
#include "settings.h"

namespace belay::bench {

// The content that the file must have once its engine is closed.
struct Expected {
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  std::uint64_t unfinished = 0;
  History history = History::all;
  bool retention_ran = false;  // some finished transactions may have been deleted
  std::vector<Sample> samples;
};

// Adds a sentence to `problems` for every difference.
void verify_file(const std::string& path, const Expected& expected,
                 std::vector<std::string>& problems);

// FNV-1a, as 16 hexadecimal digits.
std::string hash_of(const std::string& text);

}  // namespace belay::bench
