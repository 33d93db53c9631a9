// What a state file says about the prepared transactions of a database: which of them their engine
// will end, and what was decided about the others.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "belay/reader.h"
#include "belay/xa.h"

namespace belay::tool {

enum class Decision : std::uint8_t {
  // Decided to commit, but not carried out, because the transaction was stopped before.
  commit,
  roll_back,   // its transaction failed and never decided to commit
  unfinished,  // its engine goes on with it
  unknown,     // the file does not know it, or there is no file
};

std::string_view name_of(Decision decision);  // "commit", "rollback", "unfinished", "unknown"

struct JudgedXa {
  PreparedXa prepared;
  Decision decision = Decision::unknown;
  std::string gid;  // the gid of its transaction; empty: unknown
};

// `prepared` must have been read from the database before the state file: the list does not contain
// later transactions, and every transaction in the list was in the state file before it was
// prepared.
Result<std::vector<JudgedXa>> judge(Reader& reader, std::string_view realm,
                                    const std::vector<PreparedXa>& prepared);
// The same without a state file: all are unknown.
std::vector<JudgedXa> judge_without_file(const std::vector<PreparedXa>& prepared);

}  // namespace belay::tool
