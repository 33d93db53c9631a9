// A transaction whose branches its caller decides on, one by one.
//
//   auto order = belay::Driven::begin(engine, belay::Tcc("order-42"));
//   auto seat = order->branch({"seat.try", "seat.confirm", "seat.cancel", "7A"});
//   if (!seat || seat->kind() != belay::OutcomeKind::success) return;  // dropped: aborted
//   auto report = order->submit();
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "belay/engine.h"

namespace belay {

// Move-only. Dropped by a return or an exception before its word was given, it aborts (without
// waiting). One thread at a time; not on the engine's loop, as it waits. It may outlive the engine,
// which may also be moved: once that is closed or gone, every function says `closed`, and the
// transaction goes on at the next open. Of a handle that was moved from they say `misuse`.
class BELAY_EXPORT Driven {
 public:
  // Engine::prepare. The transaction is on disk when this returns.
  static Result<Driven> begin(Engine& engine, Description description);

  Driven(Driven&& other) noexcept;
  Driven& operator=(Driven&& other) noexcept;
  ~Driven();

  // Engine::register_branch.
  Result<Outcome> branch(const TwoPhaseBranch& branch);
  // Engine::submit_prepared. With an error nothing was decided, save for commit_unknown, and the
  // handle still aborts if it can.
  Result<Report> submit();
  // Submits and waits until it is final, at most `timeout`. Errors: timed_out (it goes on), and
  // submit's.
  Result<Report> run(Millis timeout);
  // Engine::abort.
  Result<Report> abort(std::string_view reason);

  const std::string& gid() const noexcept { return gid_; }

 private:
  Driven(std::weak_ptr<Engine::Impl> engine, std::string gid)
      : engine_(std::move(engine)), gid_(std::move(gid)) {}
  Result<std::shared_ptr<Engine::Impl>> engine() const;
  Result<> give_word(Engine::Impl& engine, bool submits, std::string_view reason,
                     ReportCallback done) const;

  std::weak_ptr<Engine::Impl> engine_;
  bool open_ = true;  // false: the word was given
  std::string gid_;
};

}  // namespace belay
