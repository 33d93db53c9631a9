#include "serve/alerts.h"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/cause.h"
#include "serve/http/client.h"
#include "threads/scarce.h"
#include "view/text.h"

namespace belay::tool {
namespace {

using AlertClock = std::chrono::steady_clock;

constexpr Millis kPostTimeout{3'000};      // as in dtm
constexpr Millis kPauseForMemory{10'000};  // after a post that had none

}  // namespace

Alerts::Alerts(std::string url, std::string ca_file, const AlertLimits& limits, ServeLog& log)
    : url_(std::move(url)), ca_file_(std::move(ca_file)), log_(log), groups_(limits) {}

Alerts::~Alerts() {
  {
    const base::Lock lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

Result<> Alerts::start() {
  if (url_.empty()) return {};
  auto thread = threads::Thread::start("belay-alerts", [this] { run(); });
  if (!thread) return thread.error();
  thread_ = std::move(*thread);
  return {};
}

void Alerts::on_stuck(const StuckNotice& notice, void* user) {
  auto& self = *static_cast<Alerts*>(user);
  const base::Lock lock(self.mutex_);
  if (self.groups_.stuck(notice, AlertClock::now())) self.changed_.notify_one();
}

void Alerts::on_unstuck(const UnstuckNotice& notice, void* user) {
  auto& self = *static_cast<Alerts*>(user);
  const base::Lock lock(self.mutex_);
  if (self.groups_.unstuck(notice, AlertClock::now())) self.changed_.notify_one();
}

void Alerts::run() {
  bool goes_on = true;
  while (goes_on) {
    if (!threads::run_if_memory([&] { goes_on = post_next(); })) goes_on = pause();
  }
}

// False: the end.
bool Alerts::post_next() {
  const auto alert = next();
  if (!alert) return false;
  bool taken = false;
  threads::run_if_memory([&] { taken = post(*alert); });
  ++(taken ? sent_ : failed_);
  const base::Lock lock(mutex_);
  if (taken) {
    groups_.sent(*alert, AlertClock::now());
  } else if (groups_.failed(*alert, AlertClock::now())) {
    ++dropped_;
  }
  return true;
}

// Waits for an alert that is due; nothing at the end.
std::optional<Alert> Alerts::next() {
  base::Lock lock(mutex_);
  while (!ending_) {
    if (auto alert = groups_.take(AlertClock::now())) return alert;
    const auto at = groups_.next_at(AlertClock::now());
    at ? lock.wait_until(changed_, *at) : lock.wait(changed_);
  }
  return std::nullopt;
}

bool Alerts::pause() {
  base::Lock lock(mutex_);
  lock.wait_for(changed_, kPauseForMemory, [this]() BELAY_REQUIRES(mutex_) { return ending_; });
  return !ending_;
}

bool Alerts::post(const Alert& alert) {
  const auto answer = http::fetch({.method = "POST",
                                   .url = url_,
                                   .headers = {{"Content-Type", "application/json"}},
                                   .body = body_of(alert),
                                   .timeout = kPostTimeout,
                                   .ca_file = ca_file_});
  if (answer && answer->status / 100 == 2) {
    if (std::exchange(refused_, 0) != 0) log_.info("the alert webhook takes alerts again");
    return true;
  }
  // If a webhook is down, only one line is logged.
  if (refused_++ != 0) return false;
  const auto why = answer ? "status " + std::to_string(answer->status) : answer.error().detail;
  log_.warning("the alert webhook does not take alerts", {{"reason", why}});
  return false;
}

std::string body_of(const Alert& alert) {
  const bool firing = alert.state == AlertState::firing;
  const nlohmann::ordered_json object{
      {"branch", alert.target},
      // A webhook that knows dtm's members only says by this one that it is over.
      {"error", firing ? alert.error : "resolved: " + alert.error},
      {"gid", alert.gid},
      {"retry_count", firing ? alert.attempts : 0},
      {"status", name_of(alert.status)},
      {"state", firing ? "firing" : "resolved"},
      {"group", fmt::format("{:016x}", alert.group)},
      {"host", alert.place},
      {"branch_id", alert.branch_id},
      {"op", name_of(alert.op)},
      {"cause", alert.cause.empty() ? base::cause_of(alert.error) : alert.cause},
      {"count", alert.count},
      {"has_more", alert.has_more},
      {"left_out", alert.left_out}};
  return json_text(object);
}

}  // namespace belay::tool
