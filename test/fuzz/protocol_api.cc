#include "fuzz/protocol_api.h"

#include <belay/belay.h>

#include <chrono>
#include <future>
#include <utility>
#include <vector>

#include "serve/protocol/service.h"
#include "support/http_reply.h"
#include "support/process.h"

namespace belay::test {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kBetween = "\n----\n";
constexpr std::size_t kRequestsMax = 16;

// Up to the separator, which is taken away with it.
std::string_view take_until(std::string_view& text, std::string_view separator) {
  const auto at = text.find(separator);
  const auto part = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + separator.size());
  return part;
}

http::Request request_of(std::string_view text) {
  http::Request request;
  auto line = take_until(text, "\n");
  request.body = text;
  request.method = take_until(line, " ");
  request.path = take_until(line, "?");
  while (!line.empty()) {
    auto value = take_until(line, "&");
    const auto name = take_until(value, "=");
    request.query.emplace_back(name, value);
  }
  return request;
}

Outcome answer(const Call& call, void*) {
  if (call.target == "ok") return Outcome::success();
  if (call.target == "no") return Outcome::failure("no");
  return Outcome::unknown("no idea");
}

}  // namespace

class ApiUnderFuzz::Site {
 public:
  Site() {
    Options options;
    options.hooks.allowed_targets = {"nobody.invalid"};  // no input may reach another machine
    const auto path = dir_.file("state.db");
    engine_ = std::make_unique<Engine>(std::move(*Engine::open(path, options)));
    for (const auto* name : {"ok", "no", "mute"})
      BELAY_CHECK(engine_->handle(name, answer).has_value());
    BELAY_CHECK(engine_->start().has_value());
    protocol::ServiceOptions service;
    service.urls_only = false;
    service.request_timeout = 1ms;
    service_ = std::move(*protocol::Service::make(*engine_, path, service));
  }

  std::string check(http::Request request, int& successes) {
    std::promise<http::Response> promise;
    auto answered = promise.get_future();
    // Answered twice, the promise throws, and the process ends.
    service_->handle(std::move(request), [&promise](http::Response response) noexcept {
      promise.set_value(std::move(response));
    });
    if (answered.wait_for(60s) != std::future_status::ready) return "no answer";
    const auto response = answered.get();
    if (response.status == 200) ++successes;
    return fault_of(response);
  }

 private:
  TempDir dir_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<protocol::Service> service_;
};

ApiUnderFuzz::ApiUnderFuzz() : site_(std::make_unique<Site>()) {}
ApiUnderFuzz::~ApiUnderFuzz() = default;

std::string ApiUnderFuzz::check(std::string_view input, int& successes) {
  for (std::size_t count = 0; !input.empty() && count < kRequestsMax; ++count) {
    auto fault = site_->check(request_of(take_until(input, kBetween)), successes);
    if (!fault.empty()) return fault;
  }
  return {};
}

}  // namespace belay::test
