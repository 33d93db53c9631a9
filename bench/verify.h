// A figure counts only if the work was done: what the state file says afterwards, compared with
// what was answered.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "samples.h"
#include "settings.h"

namespace belay::bench {

// What the file must hold once its engine is closed.
struct Expected {
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  std::uint64_t unfinished = 0;
  History history = History::all;
  bool retention_ran = false;  // some of the finished may be gone by now
  std::vector<Sample> samples;
};

// Adds a sentence to `problems` for whatever is not so.
void verify_file(const std::string& path, const Expected& expected,
                 std::vector<std::string>& problems);

// FNV-1a, as 16 hexadecimal digits.
std::string hash_of(const std::string& text);

}  // namespace belay::bench
