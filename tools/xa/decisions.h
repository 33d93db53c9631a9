// What a state file says about prepared transactions of a database: which of them their engine
// ends, and what was decided about the others.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "belay/reader.h"
#include "belay/xa.h"

namespace belay::tool {

enum class Decision : std::uint8_t {
  commit,      // decided, and not carried out: its transaction was stopped before
  roll_back,   // its transaction failed and never decided to commit
  unfinished,  // its engine goes on with it
  unknown,     // the file does not know it, or there is no file
};

std::string_view name_of(Decision decision);  // "commit", "rollback", "unfinished", "unknown"

struct JudgedXa {
  PreparedXa prepared;
  Decision decision = Decision::unknown;
  std::string gid;  // of its transaction; empty: unknown
};

// `prepared` was read from the database before: what was prepared later is not in it, and what is
// in it was on disk in the state file before it was prepared.
Result<std::vector<JudgedXa>> judge(Reader& reader, std::string_view realm,
                                    const std::vector<PreparedXa>& prepared);
// The same without a state file: all are unknown.
std::vector<JudgedXa> judge_without_file(const std::vector<PreparedXa>& prepared);

}  // namespace belay::tool
