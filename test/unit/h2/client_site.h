// lib/h2 on a loop of its own: requests go out, and how they ended is kept.
#pragma once

#include <doctest/doctest.h>
#include <uv.h>

#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "h2/client.h"
#include "support/run_loop.h"

namespace belay::test {

class ClientSite {
 public:
  // A request of gRPC for "grpc://127.0.0.1:50051/a.B/C", or with TLS for "grpcs://…".
  class Ask final : public h2::Request {
   public:
    explicit Ask(std::string_view target) : is_tls_(target.starts_with("grpcs:")) {
      const auto host = target.find("//") + 2;
      const auto path = target.find('/', host);
      name_ = target.substr(0, path);
      authority_ = target.substr(host, path - host);
      path_ = target.substr(path);
      host_ = authority_.substr(0, authority_.rfind(':'));
      head = {{":method", "POST"}, {":scheme", is_tls_ ? "https" : "http"},
              {":path", path_},    {":authority", authority_},
              {"te", "trailers"},  {"content-type", "application/grpc"}};
      body = std::string(5, '\0');
    }
    h2::Origin origin() const {
      const auto port = std::stoi(authority_.substr(host_.size() + 1));
      return {name_, host_, static_cast<std::uint16_t>(port), is_tls_};
    }
    bool is_done() const { return end_.has_value(); }
    // "complete", or how else it ended.
    std::string told() const {
      if (!end_) return "not done";
      switch (end_->how) {
        case h2::End::How::complete: return "complete";
        case h2::End::How::timed_out: return "timed out";
        default: return end_->why;
      }
    }

   private:
    void take_field(std::string_view, std::string_view, bool) override {}
    bool take_body(std::string_view) override { return true; }
    void done(h2::End end) override { end_ = std::move(end); }

    const bool is_tls_;
    std::string name_, authority_, path_, host_;
    std::optional<h2::End> end_;
  };

  explicit ClientSite(h2::ClientOptions options) : client_(refusing_none(std::move(options))) {
    REQUIRE(uv_loop_init(&loop_) == 0);
    client_.start(&loop_);
  }
  ClientSite(const ClientSite&) = delete;
  ClientSite& operator=(const ClientSite&) = delete;
  ~ClientSite() {
    bool closed = false;
    client_.close([&] { closed = true; });
    while (!closed) uv_run(&loop_, UV_RUN_ONCE);
    CHECK(uv_loop_close(&loop_) == 0);  // nothing was left on it
  }

  Ask& start(std::string_view target, Millis timeout = kPatience) {
    auto& ask = asks_.emplace_back(target);
    client_.call(ask, ask.origin(), timeout);
    return ask;
  }
  // How it ended.
  std::string told(std::string_view target, Millis timeout = kPatience) {
    const auto& ask = start(target, timeout);
    run_until([&] { return ask.is_done(); });
    return ask.told();
  }
  bool run_until(const std::function<bool()>& is_so) {
    return run_loop_until(loop_, is_so, kPatience);
  }

 private:
  static constexpr Millis kPatience{60'000};

  static h2::ClientOptions refusing_none(h2::ClientOptions options) {
    options.refuses = [](const sockaddr&) { return false; };
    return options;
  }

  uv_loop_t loop_{};
  h2::Client client_;
  std::deque<Ask> asks_;
};

}  // namespace belay::test
