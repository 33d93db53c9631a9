#include "belay/driven.h"

#include <algorithm>

#include "api/impl.h"
#include "api/waiting.h"

namespace belay {

Result<Driven> Driven::begin(Engine& engine, Description description) {
  const auto report = engine.prepare(description);
  if (!report) return report.error();
  return Driven(engine.impl_, report->gid());
}

Driven::Driven(Driven&& other) noexcept
    : engine_(std::move(other.engine_)),
      open_(std::exchange(other.open_, false)),
      gid_(std::move(other.gid_)) {}

Driven& Driven::operator=(Driven&& other) noexcept {
  if (this != &other) {
    const Driven old(std::move(*this));
    engine_ = std::move(other.engine_);
    open_ = std::exchange(other.open_, false);
    gid_ = std::move(other.gid_);
  }
  return *this;
}

// If the engine cannot accept this request, the transaction is still aborted at its deadline.
Driven::~Driven() {
  if (const auto engine = this->engine(); engine && Engine::Impl::usable(*engine)) {
    static_cast<void>(
        give_word(**engine, false, "its handle was dropped", [](const auto&) {}).has_value());
  }
}

Result<std::shared_ptr<Engine::Impl>> Driven::engine() const {
  if (!open_) return Error{ErrorCode::misuse, "its word was given already, or it was moved from"};
  if (auto engine = engine_.lock()) return engine;
  return Error{ErrorCode::closed, "the engine is gone; the transaction goes on at the next open"};
}

Result<> Driven::give_word(Engine::Impl& impl, bool submits, std::string_view reason,
                           ReportCallback done) const {
  using Word = engine::WordRequest::Word;
  return impl.ask(engine::WordRequest{gid_, submits ? Word::submit : Word::abort,
                                      std::string(reason), std::move(done)});
}

Result<Outcome> Driven::branch(const TwoPhaseBranch& branch) {
  const auto engine = this->engine();
  if (!engine) return engine.error();
  return api::wait_for_handlers<Outcome>(
      Engine::Impl::may_wait(*engine), [&](OutcomeCallback done) {
        return (*engine)->register_branch(gid_, branch, std::move(done));
      });
}

Result<Report> Driven::submit() {
  const auto engine = this->engine();
  if (!engine) return engine.error();
  auto report = api::wait_for_answer<Report>(
      Engine::Impl::may_wait(*engine),
      [&](ReportCallback done) { return give_word(**engine, true, {}, std::move(done)); });
  if (report) open_ = false;
  return report;
}

// The request to submit waits for the transaction's end itself: after its end the gid may be
// forgotten.
Result<Report> Driven::run(Millis timeout) {
  const auto engine = this->engine();
  if (!engine) return engine.error();
  BELAY_TRY(Engine::Impl::may_wait(*engine));
  const auto place = api::Blocking::Wait::begin();
  if (!place) return place.error();
  timeout = std::clamp(timeout, Millis{1}, api::kWaitMax);
  const auto rendezvous = std::make_shared<api::Rendezvous<Report>>();
  BELAY_TRY((*engine)->ask(
      engine::WordRequest{.gid = gid_,
                          .word = engine::WordRequest::Word::submit,
                          .reason = {},
                          .done = api::arriving(rendezvous),
                          .wants_final = true,
                          .timeout_ms = static_cast<std::uint64_t>(timeout.count())}));
  auto result = rendezvous->wait_for(timeout);
  if (!result) {
    // The submit may not be decided yet. A repeated submit is answered when the first one is on
    // disk, or with the reason of its refusal.
    auto again = submit();
    result = rendezvous->wait_for(Millis{0});
    if (!result) result = !again || again->finished() ? again : api::late(gid_, timeout);
  }
  if (*result || result->error().code == ErrorCode::timed_out) open_ = false;
  return std::move(*result);
}

Result<Report> Driven::abort(std::string_view reason) {
  const auto engine = this->engine();
  if (!engine) return engine.error();
  auto report = api::wait_for_answer<Report>(
      Engine::Impl::may_wait(*engine),
      [&](ReportCallback done) { return give_word(**engine, false, reason, std::move(done)); });
  if (report) open_ = false;
  return report;
}

}  // namespace belay
