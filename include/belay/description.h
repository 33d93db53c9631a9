// What the descriptions of all modes have in common: settings, and one parameter type for the
// engine.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "belay/options.h"
#include "belay/types.h"

namespace belay {

// What one branch may set for itself; what it leaves out comes from the transaction, then from the
// engine.
struct StepOptions {
  std::optional<Retry> retry{};
  std::optional<Millis> request_timeout{};
  std::vector<Header> headers{};
};

struct Settings {
  std::string gid;  // empty: the engine makes one, time-ordered; the report tells it
  std::optional<Millis> timeout_to_fail{};
  std::optional<Millis> request_timeout{};
  std::optional<Retry> retry{};
  std::vector<Header> headers{};
  std::string custom_data;
  std::string trace_parent;
  bool wait_result = false;
};

// The setters that every mode has. A description is nothing more than that: copy it, keep it,
// submit it as often as you like. Not thread-safe while it is built. All checks are made at submit,
// with the error that names the field and the limit.
template <class Self>
class Describes {
 public:
  // How long it may take to the decision, counted from the submit or prepare; then it turns back.
  // At least 1 ms. Default: for a saga never, for all others 35 s (dtm's).
  Self& timeout_to_fail(Millis timeout) {
    settings_.timeout_to_fail = timeout;
    return self();
  }
  // How long each call may take.
  Self& request_timeout(Millis timeout) {
    settings_.request_timeout = timeout;
    return self();
  }
  Self& retry(const Retry& retry) {
    settings_.retry = retry;
    return self();
  }
  // The submit is answered when the transaction is final instead of when it is on disk. Not part of
  // the definition.
  Self& wait_result(bool wait = true) {
    settings_.wait_result = wait;
    return self();
  }
  // Of all of them at most 16 KiB, and of each step's own as much again.
  Self& header(std::string_view name, std::string_view value) {
    settings_.headers.push_back({std::string(name), std::string(value)});
    return self();
  }
  // Bytes of the caller's that every call of this transaction is given.
  Self& custom_data(std::string_view bytes) {
    settings_.custom_data = bytes;
    return self();
  }
  // W3C traceparent; stored, shown by the tools and the log, and handed to every call. A malformed
  // one is ignored, as W3C asks: a tracing library's mistake must not stop a transaction. The first
  // submit's stays: a repeated one is the same with another trace.
  Self& trace_parent(std::string_view text) {
    settings_.trace_parent = text;
    return self();
  }

  const std::string& gid() const noexcept { return settings_.gid; }
  const Settings& settings() const noexcept { return settings_; }

 protected:
  Describes() = default;
  explicit Describes(std::string gid) { settings_.gid = std::move(gid); }

 private:
  Self& self() { return static_cast<Self&>(*this); }

  Settings settings_;
};

class Saga;
class Tcc;
class Xa;
class Msg;
class Workflow;

// Any of the modes' descriptions, by reference, for the length of a call.
class Description {
 public:
  using Any = std::variant<const Saga*, const Tcc*, const Xa*, const Msg*, const Workflow*>;

  Description(const Saga& saga) : any_(&saga) {}
  Description(const Tcc& tcc) : any_(&tcc) {}
  Description(const Xa& xa) : any_(&xa) {}
  Description(const Msg& msg) : any_(&msg) {}
  Description(const Workflow& workflow) : any_(&workflow) {}

  const Any& any() const noexcept { return any_; }

 private:
  Any any_;
};

}  // namespace belay
