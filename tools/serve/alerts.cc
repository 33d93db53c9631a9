#include "serve/alerts.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/secrets.h"
#include "serve/http/client.h"
#include "threads/scarce.h"
#include "view/text.h"

namespace belay::tool {
namespace {

constexpr std::size_t kQueueMax = 256;  // further alerts are dropped and counted
constexpr Millis kPostTimeout{3'000};   // as in dtm

}  // namespace

Alerts::Alerts(std::string url, std::string ca_file, ServeLog& log)
    : url_(std::move(url)),
      ca_file_(std::move(ca_file)),
      log_(log),
      thread_("belay-alerts", kQueueMax) {}

Result<> Alerts::start() { return url_.empty() ? Result<>() : thread_.have(1); }

void Alerts::on_stuck(const StuckNotice& notice, void* user) {
  static_cast<Alerts*>(user)->add(notice);
}

void Alerts::add(const StuckNotice& notice) {
  if (url_.empty()) return;
  const nlohmann::ordered_json object{{"branch", base::without_secrets(notice.target)},
                                      {"error", base::without_secrets(notice.error)},
                                      {"gid", notice.gid},
                                      {"retry_count", notice.attempts},
                                      {"status", name_of(notice.status)}};
  const auto post_it = [this, body = json_text(object)] {
    threads::run_if_memory([&] { post(body); });
  };
  if (!thread_.add(post_it)) ++dropped_;
}

void Alerts::post(const std::string& body) {
  const auto answer = http::fetch({.method = "POST",
                                   .url = url_,
                                   .headers = {{"Content-Type", "application/json"}},
                                   .body = body,
                                   .timeout = kPostTimeout,
                                   .ca_file = ca_file_});
  if (answer && answer->status / 100 == 2) {
    ++sent_;
    if (std::exchange(refused_, 0) != 0) log_.info("the alert webhook takes alerts again");
    return;
  }
  ++failed_;
  // If a webhook is down, only one line is logged.
  if (refused_++ != 0) return;
  const auto why = answer ? "status " + std::to_string(answer->status) : answer.error().detail;
  log_.warning("the alert webhook does not take alerts", {{"reason", why}});
}

}  // namespace belay::tool
