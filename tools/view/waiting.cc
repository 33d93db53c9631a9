#include "view/waiting.h"

#include <algorithm>
#include <iterator>

#include "view/text.h"

namespace belay::tool {
namespace {

bool is_waiting(const BranchRow& branch) {
  return branch.status == "started" || branch.status == "parked";
}

// An operation that nobody answered may be superseded: by the decision to undo it, or by the word
// of a message's sender.
bool fits_status(Status status, Op op) {
  switch (status) {
    case Status::prepared:
      return op == Op::action || op == Op::try_ || op == Op::prepare || op == Op::query;
    case Status::submitted: return op == Op::action || op == Op::confirm || op == Op::commit;
    case Status::aborting: return op == Op::compensate || op == Op::cancel || op == Op::rollback;
    case Status::succeed:
    case Status::failed: break;
  }
  return false;
}

}  // namespace

std::vector<BranchRow> waiting_of(const TransactionRow& row,
                                  const std::vector<BranchRow>& branches) {
  std::vector<BranchRow> waiting;
  std::copy_if(branches.begin(), branches.end(), std::back_inserter(waiting),
               [&row](const BranchRow& branch) {
                 return is_waiting(branch) && fits_status(row.status, branch.op);
               });
  return waiting;
}

bool has_call_out(const TransactionRow& row, const std::vector<BranchRow>& branches) {
  return std::any_of(branches.begin(), branches.end(), [&row](const BranchRow& branch) {
    return branch.status == "started" && !fits_status(row.status, branch.op);
  });
}

std::string why_it_waits(const BranchRow& branch) {
  return branch.last_error.empty() ? "no answer yet" : printable(branch.last_error);
}

}  // namespace belay::tool
