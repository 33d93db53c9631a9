#include "belay/driven.h"

namespace belay {

Result<Driven> Driven::begin(Engine& engine, Description description) {
  const auto report = engine.prepare(description);
  if (!report) return report.error();
  return Driven(engine, report->gid());
}

Driven& Driven::operator=(Driven&& other) noexcept {
  if (this != &other) {
    const Driven old(std::move(*this));
    engine_ = std::exchange(other.engine_, nullptr);
    gid_ = std::move(other.gid_);
  }
  return *this;
}

// No word by its deadline aborts it too, if the engine cannot take this one.
Driven::~Driven() {
  if (engine_ == nullptr) return;
  static_cast<void>(
      engine_->abort(gid_, "its handle was dropped", [](const Result<Report>&) {}).has_value());
}

Result<Outcome> Driven::branch(const TwoPhaseBranch& branch) {
  if (engine_ == nullptr) return Error{ErrorCode::misuse, "its word was given already"};
  return engine_->register_branch(gid_, branch);
}

Result<Report> Driven::submit() {
  if (engine_ == nullptr) return Error{ErrorCode::misuse, "its word was given already"};
  auto report = engine_->submit_prepared(gid_);
  if (report) engine_ = nullptr;
  return report;
}

Result<Report> Driven::run(Millis timeout) {
  if (engine_ == nullptr) return Error{ErrorCode::misuse, "its word was given already"};
  auto report = engine_->run_prepared(gid_, timeout);
  if (report || report.error().code == ErrorCode::timed_out) engine_ = nullptr;
  return report;
}

Result<Report> Driven::abort(std::string_view reason) {
  if (engine_ == nullptr) return Error{ErrorCode::misuse, "its word was given already"};
  auto report = engine_->abort(gid_, reason);
  if (report) engine_ = nullptr;
  return report;
}

}  // namespace belay
