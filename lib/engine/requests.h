// What is asked of the engine from other threads. A request is a struct: what it takes while it is
// queued, and, if it is about a transaction, whose gid it names, and what it does with one from the
// history: `recall` tells who asked, or returns why it is refused. What it does with a live one is
// Coordinator::meet.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/enter.h"
#include "belay/engine.h"
#include "core/definition.h"
#include "core/transaction.h"
#include "engine/load.h"
#include "ports/store.h"

namespace belay::engine {

// The error of a request that comes after its transaction's end.
Error is_over(const ports::StoredSummary& stored);

struct SubmitRequest {
  static constexpr bool kOnlyLooks = false;
  core::Definition definition;
  core::Entry entry = core::Entry::submit;
  bool gid_is_new = false;  // just made: no need to look for it on disk
  bool wants_final = false;
  base::Callback<Report> done;

  std::string_view key() const { return definition.gid(); }
  std::size_t bytes() const { return core::memory_of(definition); }
  Result<> recall(const ports::StoredSummary& stored) const;
};

struct FindRequest {
  static constexpr bool kOnlyLooks = true;
  std::string gid;
  bool wants_final = false;
  std::uint64_t timeout_ms = 0;  // 0: for as long as it takes
  base::Callback<Report> done;

  static FindRequest find(std::string gid, base::Callback<Report> done) {
    return {std::move(gid), false, 0, std::move(done)};
  }
  // No timeout: for as long as it takes.
  static FindRequest wait(std::string gid, std::optional<Millis> timeout,
                          base::Callback<Report> done) {
    const auto ms = timeout ? std::max<std::int64_t>(timeout->count(), 1) : 0;
    return {std::move(gid), true, static_cast<std::uint64_t>(ms), std::move(done)};
  }
  std::string_view key() const { return gid; }
  std::size_t bytes() const { return gid.size(); }
  Result<> recall(const ports::StoredSummary& stored) const;
};

// A driven transaction's next branch, as encoded.
struct BranchRequest {
  static constexpr bool kOnlyLooks = false;
  std::string gid;
  std::string step;
  base::Callback<Outcome> done;

  std::string_view key() const { return gid; }
  std::size_t bytes() const { return gid.size() + step.size(); }
  Result<> recall(const ports::StoredSummary& stored) const;
};

// The caller's word on a driven transaction; the operator's on any.
struct WordRequest {
  enum class Word : std::uint8_t { submit, abort, stop, hasten };
  static constexpr bool kOnlyLooks = false;
  std::string gid;
  Word word{};
  std::string reason;  // of an abort or a stop
  base::Callback<Report> done;
  bool wants_final = false;      // `done` runs at the end …
  std::uint64_t timeout_ms = 0;  // … or may be dropped after this; 0: never
  Millis delay{};                // of a message's submit

  std::string_view key() const { return gid; }
  std::size_t bytes() const { return gid.size() + reason.size(); }
  Result<> recall(const ports::StoredSummary& stored) const;
};

// A step of a workflow, as encoded.
struct ProgressRequest {
  static constexpr bool kOnlyLooks = false;
  std::string gid;
  std::string step;
  base::Callback<std::monostate> done;

  std::string_view key() const { return gid; }
  std::size_t bytes() const { return gid.size() + step.size(); }
  Result<> recall(const ports::StoredSummary& stored) const;
};

// How a workflow ended.
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

  std::size_t bytes() const {
    const auto& [topic, target, remark] = change.subscription;
    return topic.size() + target.size() + remark.size();
  }
};

struct TopicsRequest {
  base::Callback<std::vector<Subscription>> done;

  std::size_t bytes() const { return 0; }
};

// Hastens up to `limit` transactions that wait for longer than `later_than` from now.
struct HastenRequest {
  std::uint64_t later_than = 0;  // ms
  std::uint32_t limit = 0;
  base::Callback<Woken> done;

  std::size_t bytes() const { return 0; }
};

// Nobody waits for these two, and there are never many: they do not count.
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

// What waits for a gid to be looked up on disk.
using GidRequest = std::variant<SubmitRequest, FindRequest, BranchRequest, WordRequest,
                                ProgressRequest, EndRequest>;
using Request = std::variant<SubmitRequest, FindRequest, BranchRequest, WordRequest,
                             ProgressRequest, EndRequest, TopicRequest, TopicsRequest,
                             HastenRequest, RegisteredRequest, CloseRequest>;

template <class Any>
Load load_of(const Any& request) {
  return std::visit(
      [](const auto& one) -> Load {
        if constexpr (requires { one.bytes(); }) return {1, sizeof(Request) + one.bytes()};
        return {};
      },
      request);
}

}  // namespace belay::engine
