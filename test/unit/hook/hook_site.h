// lib/hook on a loop of its own, without an engine: calls go out, outcomes are collected.
#pragma once

#include <doctest/doctest.h>
#include <uv.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hook/hooks.h"
#include "support/run_loop.h"

namespace belay::test {

class HookSite {
 public:
  explicit HookSite(const HookOptions& options = {}, hook::Directory* directory = nullptr) {
    REQUIRE(uv_loop_init(&loop_) == 0);
    auto made = hook::Hooks::make(options, 1, directory);
    REQUIRE_MESSAGE(made.has_value(), (made ? "" : made.error().detail));
    hooks_ = std::move(*made);
    REQUIRE(hooks_->start(
        &loop_,
        [this](ports::CallId id, const Outcome& outcome) {
          answers_.emplace(id, outcome);
          if (on_answer) on_answer(id);
        },
        [this](ports::Lane lane) { opened_.push_back(lane); }));
  }
  HookSite(const HookSite&) = delete;
  HookSite& operator=(const HookSite&) = delete;
  ~HookSite() {
    hooks_->close([this] { closed_ = true; });
    while (!closed_) uv_run(&loop_, UV_RUN_ONCE);
    CHECK(uv_loop_close(&loop_) == 0);  // nothing was left on it
  }

  hook::Hooks& hooks() { return *hooks_; }
  std::function<void(ports::CallId id)> on_answer;  // runs within the answer

  ports::CallId start(std::string_view target, std::chrono::milliseconds timeout = kLong,
                      std::string_view payload = {}) {
    Call call;
    call.gid = "g1";
    call.branch_id = "01";
    call.payload = payload;
    call.timeout = timeout;
    call.target = target;
    hooks_->call(++last_id_, call);
    CHECK_FALSE(answers_.contains(last_id_));
    return last_id_;
  }
  // Runs the loop until that is so; false if it is not within ten seconds.
  bool run_until(const std::function<bool()>& is_so) { return run_loop_until(loop_, is_so, kLong); }
  bool has(ports::CallId id) const { return answers_.contains(id); }
  Outcome answer(ports::CallId id) {
    run_until([&] { return has(id); });
    REQUIRE(has(id));
    return answers_.at(id);
  }
  Outcome call(std::string_view target, std::chrono::milliseconds timeout = kLong,
               std::string_view payload = {}) {
    return answer(start(target, timeout, payload));
  }
  // "success", or "failure: the reason".
  std::string told(std::string_view target, std::chrono::milliseconds timeout = kLong) {
    const auto outcome = call(target, timeout);
    std::string text(name_of(outcome.kind()));
    return outcome.reason().empty() ? text : text + ": " + outcome.reason();
  }
  std::size_t answers() const { return answers_.size(); }
  std::vector<ports::Lane>& opened() { return opened_; }
  HostFigures figures(std::string_view host) const {
    for (const auto& one : hooks_->figures()) {
      if (one.host == host) return one;
    }
    return {};
  }

  static constexpr std::chrono::milliseconds kLong{10'000};

 private:
  uv_loop_t loop_{};
  std::unique_ptr<hook::Hooks> hooks_;
  ports::CallId last_id_ = 0;
  std::map<ports::CallId, Outcome> answers_;
  std::vector<ports::Lane> opened_;
  bool closed_ = false;
};

}  // namespace belay::test
