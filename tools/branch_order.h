// The arguments of orders about one operation of one branch: resolve and edit.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "belay/requests.h"
#include "command.h"

namespace belay::tool {

struct BranchOrder {
  std::string branch_id;
  std::string op;
  std::string as;  // of resolve; the others are of edit
  std::optional<std::string> target;
  std::optional<std::string> payload_file;
  std::vector<std::string> headers;  // "Name: value"
  std::vector<std::string> without_headers;
};

void add_branch_arguments(CLI::App* command, Verb verb, std::string& gid, BranchOrder& order);
// What is wrong with the arguments, before anything is read.
std::optional<std::string> wrong_with(const BranchOrder& order, Verb verb);
// Sets what the request says of the branch. Errors: those of reading the payload's file.
Result<> describe(const BranchOrder& order, Request& request);

}  // namespace belay::tool
