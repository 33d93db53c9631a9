// Two modes with the same shape: TCC, with try, confirm and cancel, and XA, with prepare, commit
// and rollback. In the first phase every branch reserves (or prepares). Then all branches are
// confirmed (committed), or those that may have been tried are cancelled (rolled back). Operations
// after the decision are retried without limit, with back-off; a transaction whose operation gets
// no answer shows as stuck.
//
// A transaction is declared or driven. Declared: a description with its branches is handed to
// Engine::submit or run; belay makes the try calls and decides. Driven: the caller calls
// Engine::prepare, adds one branch after the other, and then submits or aborts; see belay/driven.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "belay/description.h"

namespace belay {

// One branch with two phases. A target is a handler's name; an empty target succeeds without a
// call.
struct TwoPhaseBranch {
  std::string first;     // tcc: try; xa: prepare
  std::string commit;    // tcc: confirm; xa: commit
  std::string rollback;  // tcc: cancel; xa: rollback
  std::string payload{};
  StepOptions options{};
  // 1 to 128 bytes without control characters, different from every other branch of the
  // transaction. Empty: the number of the branch, "01", "02", …
  std::string branch_id{};
  // For Engine::register_branch: a transaction of another mode refuses the branch. Empty: it may be
  // of either mode.
  std::optional<Mode> mode{};
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
  // The branches are called one after the other in their order, and a cancel calls them in reverse
  // order. Without this setting all branches are called at once.
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
  // The gid is the idempotency key, as for a saga.
  explicit Tcc(std::string gid) : TwoPhase(std::move(gid)) {}
};

class Xa : public TwoPhase<Xa> {
 public:
  Xa() = default;
  explicit Xa(std::string gid) : TwoPhase(std::move(gid)) {}
};

}  // namespace belay
