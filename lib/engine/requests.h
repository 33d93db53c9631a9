// The requests that other threads make of the engine. A request is a struct with three properties:
// the bytes that it takes while it is queued; the gid, if it is about a transaction; and `recall`,
// which handles the request if its transaction is in the history: it answers the caller, or returns
// why the request is refused. Coordinator::meet handles requests for live transactions.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/enter.h"
#include "belay/changes.h"
#include "belay/engine.h"
#include "core/definition.h"
#include "core/transaction.h"
#include "engine/load.h"
#include "ports/store.h"

namespace belay::engine {

std::size_t memory_of(const Changes& changes);

// The error of a request whose transaction has ended already.
Error is_over(const ports::StoredSummary& stored);

struct SubmitRequest {
  static constexpr bool kOnlyLooks = false;
  core::Definition definition;
  core::Entry entry = core::Entry::submit;
  bool gid_is_new = false;  // just generated: not looked up on disk
  bool wants_final = false;
  base::Callback<Report> done;
  std::int64_t posted = 0;  // its id in the state file; 0: this process made the request

  std::string_view key() const { return definition.gid(); }
  std::size_t bytes() const { return core::memory_of(definition); }
  Result<> recall(const ports::StoredSummary& stored) const;
};

struct FindRequest {
  static constexpr bool kOnlyLooks = true;
  std::string gid;
  bool wants_final = false;
  std::uint64_t timeout_ms = 0;  // 0: no limit
  base::Callback<Report> done;

  static FindRequest find(std::string gid, base::Callback<Report> done) {
    return {std::move(gid), false, 0, std::move(done)};
  }
  // Without a timeout the request waits for as long as necessary.
  static FindRequest wait(std::string gid, std::optional<Millis> timeout,
                          base::Callback<Report> done) {
    const auto ms = timeout ? std::max<std::int64_t>(timeout->count(), 1) : 0;
    return {std::move(gid), true, static_cast<std::uint64_t>(ms), std::move(done)};
  }
  std::string_view key() const { return gid; }
  std::size_t bytes() const { return gid.size(); }
  Result<> recall(const ports::StoredSummary& stored) const;
};

// Adds a branch to a driven transaction. `step` is encoded.
struct BranchRequest {
  static constexpr bool kOnlyLooks = false;
  std::string gid;
  std::string step;
  base::Callback<Outcome> done;
  std::optional<Mode> mode{};  // the mode that the transaction must have

  std::string_view key() const { return gid; }
  std::size_t bytes() const { return gid.size() + step.size(); }
  Result<> recall(const ports::StoredSummary& stored) const;
};

// The decision of a driven transaction's caller, or an operator's command for any transaction.
struct WordRequest {
  enum class Word : std::uint8_t { submit, abort, back, stop, hasten, resolve, edit };
  static constexpr bool kOnlyLooks = false;
  std::string gid;
  Word word{};
  std::string reason;  // of an abort, or an operator's
  base::Callback<Report> done;
  // True: `done` runs when the transaction has ended.
  bool wants_final = false;
  // With wants_final: `done` may be dropped after this time; 0: never.
  std::uint64_t timeout_ms = 0;
  Millis delay{};           // the delay of a message's submit
  std::int64_t posted = 0;  // as in SubmitRequest
  // With `resolve`: the branch and its operation that ended, and how. With `edit`: what to change
  // of them.
  std::string branch_id{};
  Op op{};
  OutcomeKind outcome{};
  std::shared_ptr<const Changes> changes{};

  std::string_view key() const { return gid; }
  std::size_t bytes() const {
    return gid.size() + reason.size() + branch_id.size() + (changes ? memory_of(*changes) : 0);
  }
  Result<> recall(const ports::StoredSummary& stored) const;
};

// Records a step of a workflow. `step` is encoded.
struct ProgressRequest {
  static constexpr bool kOnlyLooks = false;
  std::string gid;
  std::string step;
  base::Callback<std::monostate> done;

  std::string_view key() const { return gid; }
  std::size_t bytes() const { return gid.size() + step.size(); }
  Result<> recall(const ports::StoredSummary& stored) const;
};

// Ends a workflow.
struct EndRequest {
  static constexpr bool kOnlyLooks = false;
  std::string gid;
  WorkflowEnd end;
  base::Callback<Report> done;

  std::string_view key() const { return gid; }
  std::size_t bytes() const { return gid.size() + end.result.size() + end.reason.size(); }
  Result<> recall(const ports::StoredSummary& stored) const;
};

struct TopicRequest {
  ports::TopicChange change;
  base::Callback<std::monostate> done;
  std::int64_t posted = 0;  // as in SubmitRequest

  std::size_t bytes() const {
    const auto& [topic, target, remark] = change.subscription;
    return topic.size() + target.size() + remark.size();
  }
};

struct HoldRequest {
  ports::HoldChange change;
  base::Callback<std::monostate> done;
  std::int64_t posted = 0;  // as in SubmitRequest

  std::size_t bytes() const {
    const auto& hold = change.hold;
    return hold.target.size() + hold.reason.size() + hold.asked_by.size();
  }
};

struct LogLevelRequest {
  LogLevel level{};
  base::Callback<std::monostate> done;
  std::int64_t posted = 0;  // as in SubmitRequest

  std::size_t bytes() const { return 0; }
};

struct TopicsRequest {
  base::Callback<std::vector<Topic>> done;

  std::size_t bytes() const { return 0; }
};

// Hastens up to `limit` transactions whose next wake-up is more than `later_than` away.
struct HastenRequest {
  std::uint64_t later_than = 0;  // ms
  std::uint32_t limit = 0;
  base::Callback<Woken> done;

  std::size_t bytes() const { return 0; }
};

// These two requests have no waiting caller and are never many: they do not count as queued.
struct RegisteredRequest {
  std::string target;
};

struct CloseRequest {
  base::Callback<std::monostate> closed;
};

template <class R>
concept NamesGid = requires(const R& request) {
  { request.key() } -> std::same_as<std::string_view>;
};

// The requests that can wait until a gid is looked up on disk.
using GidRequest = std::variant<SubmitRequest, FindRequest, BranchRequest, WordRequest,
                                ProgressRequest, EndRequest>;
using Request = std::variant<SubmitRequest, FindRequest, BranchRequest, WordRequest,
                             ProgressRequest, EndRequest, TopicRequest, HoldRequest, TopicsRequest,
                             LogLevelRequest, HastenRequest, RegisteredRequest, CloseRequest>;

// A posted request is not queued: it waits in the state file, and few of them are read at a time.
template <class Any>
Load load_of(const Any& request) {
  return std::visit(
      [](const auto& one) -> Load {
        if constexpr (requires { one.posted; }) {
          if (one.posted != 0) return {};
        }
        if constexpr (requires { one.bytes(); }) return {1, sizeof(Request) + one.bytes()};
        return {};
      },
      request);
}

}  // namespace belay::engine
