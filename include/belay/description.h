// The settings that the descriptions of all modes have in common, and the one parameter type with
// which the engine takes a description of any mode.
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

// The settings of one branch. A setting that is left out comes from the transaction, or from the
// engine if the transaction leaves it out too.
struct StepOptions {
  std::optional<Retry> retry{};
  std::optional<Millis> request_timeout{};
  std::vector<Header> headers{};
};

struct Settings {
  // Empty: the engine makes a time-ordered gid; the report contains it.
  std::string gid;
  std::optional<Millis> timeout_to_fail{};
  std::optional<Millis> request_timeout{};
  std::optional<Retry> retry{};
  std::vector<Header> headers{};
  std::string custom_data;
  std::string trace_parent;
  bool wait_result = false;
};

// The setters that every mode has. A description is a plain value: copy it, keep it, submit it as
// often as you like. It is not thread-safe while it is built. All checks are made at the submit,
// whose error names the field and the limit.
template <class Self>
class Describes {
 public:
  // How long the transaction may take until its decision, counted from the submit or prepare. After
  // that time it turns back. At least 1 ms. Default: no limit for a saga that was submitted, 35 s
  // (dtm's value) for all others.
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
  // The submit is answered when the transaction is final instead of when it is on disk. This
  // setting is not part of the definition.
  Self& wait_result(bool wait = true) {
    settings_.wait_result = wait;
    return self();
  }
  // All headers of the transaction may have 16 KiB together, and the headers of each step 16 KiB
  // more.
  Self& header(std::string_view name, std::string_view value) {
    settings_.headers.push_back({std::string(name), std::string(value)});
    return self();
  }
  // Bytes of the caller that are handed to every call of this transaction.
  Self& custom_data(std::string_view bytes) {
    settings_.custom_data = bytes;
    return self();
  }
  // The W3C traceparent. It is stored, shown by the tools and the log, and handed to every call. A
  // malformed value is ignored, as W3C asks: a mistake of a tracing library must not stop a
  // transaction. The value of the first submit stays: a repeated submit with another value counts
  // as the same submit.
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

// A reference to the description of any mode, for the duration of a call.
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
