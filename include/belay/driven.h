// A handle for a transaction whose caller adds the branches one by one and then submits or aborts.
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

// Move-only. If the handle is destroyed by a return or an exception before it submitted or aborted,
// it aborts the transaction (without waiting). Use it from one thread at a time, and not on the
// engine's loop, since its functions wait. The handle may outlive the engine, and the engine may be
// moved. Once the engine is closed or destroyed, every function returns the error `closed`, and the
// transaction goes on at the next open. Every function of a moved-from handle returns `misuse`.
class BELAY_EXPORT Driven {
 public:
  // Calls Engine::prepare. The transaction is on disk when this function returns.
  static Result<Driven> begin(Engine& engine, Description description);

  Driven(Driven&& other) noexcept;
  Driven& operator=(Driven&& other) noexcept;
  ~Driven();

  // Calls Engine::register_branch.
  Result<Outcome> branch(const TwoPhaseBranch& branch);
  // Calls Engine::submit_prepared. If it returns an error other than commit_unknown, nothing was
  // decided, and the handle can still abort.
  Result<Report> submit();
  // Submits and waits until the transaction is final, at most `timeout`. Errors: timed_out (the
  // transaction goes on), and those of submit.
  Result<Report> run(Millis timeout);
  // Calls Engine::abort.
  Result<Report> abort(std::string_view reason);

  const std::string& gid() const noexcept { return gid_; }

 private:
  Driven(std::weak_ptr<Engine::Impl> engine, std::string gid)
      : engine_(std::move(engine)), gid_(std::move(gid)) {}
  Result<std::shared_ptr<Engine::Impl>> engine() const;
  Result<> give_word(Engine::Impl& engine, bool submits, std::string_view reason,
                     ReportCallback done) const;

  std::weak_ptr<Engine::Impl> engine_;
  bool open_ = true;  // False: the caller has submitted or aborted.
  std::string gid_;
};

}  // namespace belay
