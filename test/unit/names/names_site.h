// lib/names on a loop of its own with libcurl behind it, without an engine.
#pragma once

#include <doctest/doctest.h>
#include <uv.h>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ask/http_asker.h"
#include "base/log.h"
#include "names/names.h"
#include "support/run_loop.h"

namespace belay::test {

class NamesSite {
 public:
  explicit NamesSite(names::Resolvers resolvers = {}, const names::Aliases& aliases = {},
                     const HookOptions& options = {}) {
    REQUIRE(uv_loop_init(&loop_) == 0);
    REQUIRE(uv_async_init(&loop_, &wake_, [](uv_async_t* handle) {
              static_cast<NamesSite*>(handle->data)->run_posted();
            }) == 0);
    wake_.data = this;
    asker_ = std::move(*ask::HttpAsker::make(options));
    REQUIRE(asker_->start(&loop_));
    names_ = std::move(*names::Names::make(std::move(resolvers), aliases, log_));
    REQUIRE(names_->start(&loop_, *asker_, [this](auto function) { post(std::move(function)); }));
  }
  NamesSite(const NamesSite&) = delete;
  NamesSite& operator=(const NamesSite&) = delete;
  ~NamesSite() {
    bool closed = false;
    names_->close([&] {
      asker_->close([&] {
        uv_close(reinterpret_cast<uv_handle_t*>(&wake_), nullptr);
        closed = true;
      });
    });
    while (!closed) uv_run(&loop_, UV_RUN_ONCE);
    uv_run(&loop_, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&loop_) == 0);  // nothing was left on it
  }

  // Runs the loop until that is so; false if it is not within half a minute.
  bool run_until(const std::function<bool()>& is_so) {
    return run_loop_until(loop_, is_so, std::chrono::seconds(30));
  }

  // What is known of the target's name now: "a:1 b:2" in order, "nothing" for an empty list,
  // "waits", or the reason if the last look-up that had to wait was answered with one.
  std::string look_up(const std::string& target) {
    const auto parsed = names::parse_name(target);
    REQUIRE_MESSAGE(parsed.has_value(), (parsed ? "" : parsed.error().detail));
    const auto looked =
        names_->look_up(parsed->name, [this](names::Balancer* service, const std::string& why) {
          told_.push_back(service == nullptr ? "failed: " + why : text_of(*service));
        });
    return looked.service == nullptr ? "waits" : text_of(*looked.service);
  }
  // Runs the loop until the name has this list.
  bool gets(const std::string& target, std::string_view wanted) {
    const bool got = run_until([&] { return look_up(target) == wanted; });
    const auto is = look_up(target);  // not within the check, which holds doctest's lock
    CHECK_MESSAGE(got, "it has '" << is << "' instead of " << wanted);
    return got;
  }
  // The answers to look-ups that had to wait.
  std::vector<std::string>& told() { return told_; }
  NameFigures figures() const {
    const auto all = names_->figures();
    return all.empty() ? NameFigures{} : all.front();
  }
  bool is_stale() const { return figures().stale_for > Millis(0); }
  names::Names& names() { return *names_; }
  std::size_t lines_with(std::string_view part) const {
    std::size_t count = 0;
    for (const auto& line : lines_) count += line.find(part) != std::string::npos;
    return count;
  }

 private:
  static std::string text_of(names::Balancer& service) {
    std::string text;
    for (const auto& endpoint : service.endpoints()) {
      if (!text.empty()) text += ' ';
      text += names::text_of({endpoint.host, endpoint.port});
    }
    return text.empty() ? "nothing" : text;
  }
  void post(std::function<void()> function) {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(function));
    uv_async_send(&wake_);
  }
  void run_posted() {
    std::vector<std::function<void()>> running;
    {
      const std::lock_guard lock(mutex_);
      running.swap(posted_);
    }
    for (const auto& function : running) function();
  }

  uv_loop_t loop_{};
  uv_async_t wake_{};
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;
  std::vector<std::string> lines_;
  base::Log log_{[](const LogLine& line, void* user) {
                   static_cast<NamesSite*>(user)->lines_.emplace_back(line.text);
                 },
                 this, LogLevel::debug};
  std::unique_ptr<ask::HttpAsker> asker_;
  std::unique_ptr<names::Names> names_;
  std::vector<std::string> told_;
};

}  // namespace belay::test
