// Try, confirm, cancel; and XA, the same shape with prepare, commit and rollback. In the first
// phase every branch reserves (or prepares); then all are confirmed (committed), or those that may
// have been tried are cancelled (rolled back). What follows the decision is retried for ever, with
// back-off, and shows as stuck.
//
// Declared: a description with its branches, handed to Engine::submit or run; belay makes the tries
// and decides. Driven: Engine::prepare, then branch by branch, then the caller's word; see
// belay/driven.h.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "belay/description.h"

namespace belay {

// One branch of two phases. A target is a handler's name; an empty one succeeds without a call.
struct TwoPhaseBranch {
  std::string first;     // tcc: try; xa: prepare
  std::string commit;    // tcc: confirm; xa: commit
  std::string rollback;  // tcc: cancel; xa: rollback
  std::string payload{};
  StepOptions options{};
  // 1 to 128 bytes without control characters, no other branch's of the transaction; empty: its
  // number, "01", "02", …
  std::string branch_id{};
};

template <class Self>
class TwoPhase : public Describes<Self> {
 public:
  Self& branch(TwoPhaseBranch branch) {
    branches_.push_back(std::move(branch));
    return static_cast<Self&>(*this);
  }
  Self& branch(std::string_view first, std::string_view commit, std::string_view rollback,
               std::string_view payload = {}, StepOptions options = {}) {
    return branch({std::string(first), std::string(commit), std::string(rollback),
                   std::string(payload), std::move(options)});
  }
  // One after the other, in the order of the branches, the second phase of a cancel in reverse;
  // otherwise all at once.
  Self& in_order() {
    in_order_ = true;
    return static_cast<Self&>(*this);
  }

  const std::vector<TwoPhaseBranch>& branches() const noexcept { return branches_; }
  bool is_in_order() const noexcept { return in_order_; }

 protected:
  TwoPhase() = default;
  explicit TwoPhase(std::string gid) : Describes<Self>(std::move(gid)) {}

 private:
  std::vector<TwoPhaseBranch> branches_;
  bool in_order_ = false;
};

class Tcc : public TwoPhase<Tcc> {
 public:
  Tcc() = default;
  // The gid is the idempotency key, as a saga's.
  explicit Tcc(std::string gid) : TwoPhase(std::move(gid)) {}
};

class Xa : public TwoPhase<Xa> {
 public:
  Xa() = default;
  explicit Xa(std::string gid) : TwoPhase(std::move(gid)) {}
};

}  // namespace belay
