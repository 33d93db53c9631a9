#include "view/waiting.h"

#include <algorithm>

#include "view/text.h"

namespace belay::tool {
namespace {

bool is_waiting(const BranchRow& branch) {
  return branch.status == "started" || branch.status == "parked";
}

}  // namespace

// A first operation without an answer was given up once the second one began.
std::vector<BranchRow> waiting_of(const std::vector<BranchRow>& branches) {
  std::vector<BranchRow> waiting;
  std::string_view begun;  // the branch whose second operation was seen
  for (auto row = branches.rbegin(); row != branches.rend(); ++row) {
    if (row->branch_id == begun || row->status == "idle") continue;
    begun = row->branch_id;
    if (is_waiting(*row)) waiting.push_back(*row);
  }
  std::reverse(waiting.begin(), waiting.end());
  return waiting;
}

std::string why_it_waits(const BranchRow& branch) {
  return branch.last_error.empty() ? "no answer yet" : printable(branch.last_error);
}

}  // namespace belay::tool
