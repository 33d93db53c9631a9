// The life of a call: a place at its host, a request, curl's result, an outcome.
#include "hook/hooks.h"

#include <uv.h>

#include <optional>
#include <random>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>

#include "base/secrets.h"
#include "belay/check.h"
#include "belay/features.h"
#include "hook/address.h"
#include "hook/allow.h"
#include "hook/host_table.h"
#include "hook/http_calls.h"
#include "hook/http_request.h"
#include "hook/options.h"
#include "hook/proxy.h"
#include "hook/services.h"
#include "hook/url.h"
#include "names/name.h"
#if BELAY_HAS_GRPC
#include "hook/grpc_calls.h"
#endif

namespace belay::hook {
namespace {

// True if curl looks names up asynchronously: a look-up on the loop would stop all calls.
bool looks_up_aside() {
  return (curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_ASYNCHDNS) != 0;
}

// Null: this belay was built without gRPC.
std::unique_ptr<Calls> make_grpc_calls([[maybe_unused]] const HookOptions& options) {
#if BELAY_HAS_GRPC
  return std::make_unique<GrpcCalls>(options);
#else
  return nullptr;
#endif
}

}  // namespace

class Hooks::Impl {
 public:
  Impl(const HookOptions& options, AllowList allowed, std::uint64_t seed, Directory* directory)
      : options_(options),
        proxies_(Proxies::make(options.proxy)),
        allowed_(std::move(allowed)),
        grpc_(make_grpc_calls(options_)),
        random_(seed),
        hosts_(options_, [this](std::string_view target) { return check(target); }),
        directory_(directory) {
    if (directory != nullptr) {
      services_.emplace(
          *directory, hosts_, options_, [this] { return now(); },
          [this](ports::Lane lane) {
            if (auto* wait = services_->find(lane); wait != nullptr) look(*wait);
          });
    }
  }

  // Before all else. Errors: resources.
  Result<> prepare();
  Result<> check(std::string_view target) const;
  Result<> start(uv_loop_s* loop, Answered answered, Opened opened);
  ports::Lane lane_of(std::string_view target);
  bool has_place(ports::Lane lane);
  std::optional<std::string> why_shut(ports::Lane lane);
  void call(ports::CallId id, const Call& call);
  std::vector<HostFigures> figures() const { return hosts_.figures(); }
  std::uint64_t shortages() const { return http_->shortages() + (grpc_ ? grpc_->shortages() : 0); }
  std::string proxies() const { return proxies_.from_environment(); }
  void close(std::function<void()> closed);

 private:
  Result<> check(const Url& url, std::string_view target) const;
  Result<> check_name(std::string_view target) const;
  Result<> check_registry(const names::Name& name, const names::Place& place,
                          std::string_view target) const;
  std::uint64_t now() const { return uv_now(loop_); }
  void refuse(ports::CallId id, const Error& error);
  void finish(const Placed& placed, const CallEnd& end);
  LaneWait* wait_of(ports::Lane lane);
  std::uint64_t place_at(ports::Lane lane);
  void look(LaneWait& wait);
  void look_at_services(HostEntry& entry);
  void look_later(LaneWait& wait, std::uint64_t at);
  void set_timer();
  void on_timer();
  void handle_closed();

  const HookOptions options_;
  const Proxies proxies_;
  const AllowList allowed_;
  const bool looks_up_aside_ = looks_up_aside();
  std::unique_ptr<HttpCalls> http_;
  const std::unique_ptr<Calls> grpc_;  // null: not in this build
  std::mt19937_64 random_;
  HostTable hosts_;
  Directory* const directory_;  // null: nothing is found by name
  std::optional<Services> services_;
  std::unordered_set<ports::CallId> by_name_;  // calls in flight
  uv_loop_s* loop_ = nullptr;
  Answered answered_;
  Opened opened_;
  std::function<void()> closed_;
  int closing_parts_ = 0;

  // Calls that could not be made at all; the timer answers them.
  std::vector<std::pair<ports::CallId, Outcome>> refused_;
  // Hosts for which calls wait, by the time of the next check for a place.
  std::set<std::pair<std::uint64_t, ports::Lane>> looks_;
  std::unique_ptr<uv_timer_t> timer_;
};

Result<> Hooks::Impl::check(const Url& url, std::string_view target) const {
  if (!allowed_.allows(url)) {
    return Error{ErrorCode::forbidden_target,
                 "'" + std::string(target) + "' is not among HookOptions::allowed_targets"};
  }
  if (!options_.refuse_link_local) return {};
  if (is_link_local(url.host)) {
    return Error{ErrorCode::forbidden_target,
                 "'" + std::string(target) + "' is a link-local address, which is not called"};
  }
  if (url.protocol == Protocol::grpc) return {};  // called without a proxy
  // The proxy looks the name up, and no look-up of ours can tell what the proxy will find.
  if (!proxies_.of(url).empty() && !address_in(url.host) && !allowed_.names(url)) {
    return Error{ErrorCode::forbidden_target,
                 "'" + std::string(target) +
                     "' is called through a proxy, which might find a link-local address for its "
                     "name: only names in HookOptions::allowed_targets are called so"};
  }
  return {};
}

Result<> Hooks::Impl::prepare() {
  auto http = HttpCalls::make(options_, proxies_);
  if (!http) return http.error();
  http_ = std::move(*http);
  return {};
}

Result<> Hooks::Impl::check(std::string_view target) const {
  const bool is_grpc = protocol_of(target) == Protocol::grpc;
  if (is_grpc && !grpc_) {
    return Error{ErrorCode::unsupported, "'" + base::without_secrets(target) +
                                             "' is a gRPC target, and this belay was built "
                                             "without gRPC (meson's option grpc)"};
  }
  if (!looks_up_aside_ && !is_grpc) {
    return Error{ErrorCode::unsupported,
                 "no URL can be called: this libcurl has neither threads nor c-ares for names"};
  }
  if (names::is_name(target)) return check_name(target);
  const auto url = parse_url(target);
  if (!url) return url.error();
  if (url->protocol == Protocol::json_rpc) {
    if (auto made = make_target(target); !made) return made.error();
  }
  return check(*url, target);
}

// Where a registry is must be allowed, as a host; where the endpoints are is checked at each call.
Result<> Hooks::Impl::check_registry(const names::Name& name, const names::Place& place,
                                     std::string_view target) const {
  Url url;
  url.tls = name.is_secure;
  url.host = place.host;
  url.port = place.port;
  const bool is_allowed = allowed_.allows(url);
  if (is_allowed && !(options_.refuse_link_local && is_link_local(url.host))) return {};
  return Error{ErrorCode::forbidden_target,
               "'" + base::without_secrets(target) + "' asks a registry at " +
                   names::text_of(place) +
                   (is_allowed ? ", a link-local address, which is not called"
                               : ", which is not among HookOptions::allowed_targets")};
}

Result<> Hooks::Impl::check_name(std::string_view target) const {
  if (directory_ == nullptr) {
    return Error{ErrorCode::unsupported, "'" + base::without_secrets(target) +
                                             "' names a service, which is not looked up here"};
  }
  BELAY_TRY(directory_->check(target));
  const auto parsed = names::parse_name(target);
  if (!parsed) return parsed.error();
  const auto& name = parsed->name;
  for (const auto& place : name.places) BELAY_TRY(check_registry(name, place, target));
  // What follows the name must be fit for any endpoint.
  if (const auto any = make_target(parsed->at({.host = "endpoint", .port = 1})); !any)
    return any.error();
  return {};
}

Result<> Hooks::Impl::start(uv_loop_s* loop, Answered answered, Opened opened) {
  loop_ = loop;
  answered_ = std::move(answered);
  opened_ = std::move(opened);
  const auto ended = [this](const Placed& placed, const CallEnd& end) { finish(placed, end); };
  BELAY_TRY(http_->start(loop, ended));
  if (grpc_) BELAY_TRY(grpc_->start(loop, ended));
  timer_ = std::make_unique<uv_timer_t>();
  BELAY_CHECK(uv_timer_init(loop_, timer_.get()) == 0);  // needs no resource that could be short
  timer_->data = this;
  return {};
}

ports::Lane Hooks::Impl::lane_of(std::string_view target) {
  if (services_ && names::is_name(target)) return services_->lane_of(target);
  const auto* entry = hosts_.route(target).entry;
  return entry == nullptr ? 0 : entry->lane;  // a URL that cannot be called waits for no host
}

LaneWait* Hooks::Impl::wait_of(ports::Lane lane) {
  if (auto* entry = hosts_.find(lane); entry != nullptr) return entry;
  return services_ ? services_->find(lane) : nullptr;
}

std::uint64_t Hooks::Impl::place_at(ports::Lane lane) {
  if (auto* entry = hosts_.find(lane); entry != nullptr) return entry->host.place_at(now());
  return services_->place_at(lane, now());
}

bool Hooks::Impl::has_place(ports::Lane lane) {
  auto* wait = wait_of(lane);
  if (wait == nullptr) return true;  // the host was idle and is forgotten
  const auto at = place_at(lane);
  if (at <= now()) return true;
  wait->wanted = true;
  look_later(*wait, at);
  return false;
}

std::optional<std::string> Hooks::Impl::why_shut(ports::Lane lane) {
  const auto* entry = hosts_.find(lane);
  if (entry == nullptr || entry->host.breaker() == BreakerState::closed) return std::nullopt;
  return "the circuit breaker of " + entry->name + " is open, since its calls have no answer";
}

void Hooks::Impl::call(ports::CallId id, const Call& call) {
  const bool is_by_name = services_ && names::is_name(call.target);
  std::string endpoint;
  if (is_by_name) {
    auto picked = services_->pick(call.target, now());
    if (!picked) return refuse(id, picked.error());
    endpoint = std::move(*picked);
  }
  const auto& route = hosts_.route(is_by_name ? endpoint : call.target);
  if (!route.target) return refuse(id, route.target.error());
  auto& calls = route.target->protocol == Protocol::grpc ? *grpc_ : *http_;
  const auto begun = calls.begin(id, call, *route.target, *route.entry, random_() | 1);
  if (!begun) return refuse(id, begun.error());
  if (is_by_name) by_name_.insert(id);
}

void Hooks::Impl::refuse(ports::CallId id, const Error& error) {
  refused_.emplace_back(id, Outcome::unknown(error.detail));
  set_timer();
}

void Hooks::Impl::finish(const Placed& placed, const CallEnd& end) {
  // The host was not idle while it had this call, so it is still in the table.
  auto* entry = hosts_.find(placed.lane);
  BELAY_CHECK(entry != nullptr);
  entry->host.end(now(), placed.ticket, end.host, end.outcome.kind());
  if (by_name_.erase(placed.id) != 0 && end.outcome.kind() == OutcomeKind::unknown) {
    auto told = Outcome::unknown(end.outcome.reason() + " (" + entry->name + ")");
    answered_(placed.id, told.retry_after(end.outcome.retry_after()));
  } else {
    answered_(placed.id, end.outcome);
  }
  auto* still = hosts_.find(placed.lane);
  if (still == nullptr) return;
  look(*still);
  look_at_services(*still);
}

// The host may be one that calls of services wait for.
void Hooks::Impl::look_at_services(HostEntry& entry) {
  if (entry.services.empty() || entry.host.place_at(now()) > now()) return;
  for (const auto lane : std::exchange(entry.services, {})) {
    if (auto* wait = services_->find(lane); wait != nullptr) look(*wait);
  }
}

// Reports a free place to the waiting calls, if there is one.
void Hooks::Impl::look(LaneWait& wait) {
  if (!wait.wanted) return;
  const auto at = place_at(wait.lane);
  if (at > now()) return look_later(wait, at);
  wait.wanted = false;
  looks_.erase({wait.look_at, wait.lane});
  wait.look_at = 0;
  opened_(wait.lane);
}

void Hooks::Impl::look_later(LaneWait& wait, std::uint64_t at) {
  if (wait.look_at == at) return;
  looks_.erase({wait.look_at, wait.lane});
  wait.look_at = at == Host::kNever ? 0 : at;
  if (wait.look_at != 0) looks_.emplace(at, wait.lane);
  set_timer();
}

void Hooks::Impl::set_timer() {
  constexpr auto fire = [](uv_timer_t* handle) noexcept {
    static_cast<Impl*>(handle->data)->on_timer();
  };
  if (refused_.empty() && looks_.empty()) {
    uv_timer_stop(timer_.get());
    return;
  }
  uv_update_time(loop_);
  const auto at = refused_.empty() ? looks_.begin()->first : now();
  uv_timer_start(timer_.get(), fire, at > now() ? at - now() : 0, 0);
}

void Hooks::Impl::on_timer() {
  const auto refused = std::exchange(refused_, {});
  for (const auto& [id, outcome] : refused) answered_(id, outcome);
  // Each host is checked once: a host without a place gets a later time.
  const auto time = now();
  while (!looks_.empty() && looks_.begin()->first <= time) {
    auto* wait = wait_of(looks_.begin()->second);
    looks_.erase(looks_.begin());
    if (wait == nullptr) continue;
    wait->look_at = 0;
    look(*wait);
  }
  set_timer();
}

void Hooks::Impl::close(std::function<void()> closed) {
  closed_ = std::move(closed);
  if (services_) services_->clear();
  closing_parts_ = grpc_ ? 3 : 2;
  http_->close([this] { handle_closed(); });
  if (grpc_) grpc_->close([this] { handle_closed(); });
  uv_close(reinterpret_cast<uv_handle_t*>(timer_.get()),
           [](uv_handle_t* handle) noexcept { static_cast<Impl*>(handle->data)->handle_closed(); });
}

void Hooks::Impl::handle_closed() {
  if (--closing_parts_ != 0) return;
  // `closed_now` may destroy this object.
  const auto closed_now = std::move(closed_);
  closed_now();
}

Hooks::Hooks(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Hooks::~Hooks() = default;

Result<std::unique_ptr<Hooks>> Hooks::make(const HookOptions& options, std::uint64_t seed,
                                           Directory* directory) {
  static const auto initialized = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialized != CURLE_OK) return Error{ErrorCode::resources, "libcurl does not start"};
  BELAY_TRY(check_options(options));
  auto allowed = AllowList::make(options.allowed_targets);
  if (!allowed) return allowed.error();
  auto impl = std::make_unique<Impl>(options, std::move(*allowed), seed, directory);
  BELAY_TRY(impl->prepare());
  return std::unique_ptr<Hooks>(new Hooks(std::move(impl)));
}

Result<> Hooks::check(std::string_view target) const { return impl_->check(target); }

Result<> Hooks::start(uv_loop_s* loop, Answered answered, Opened opened) {
  return impl_->start(loop, std::move(answered), std::move(opened));
}

ports::Lane Hooks::lane_of(std::string_view target) { return impl_->lane_of(target); }
bool Hooks::has_place(ports::Lane lane) { return impl_->has_place(lane); }
std::optional<std::string> Hooks::why_shut(ports::Lane lane) { return impl_->why_shut(lane); }
void Hooks::call(ports::CallId id, const Call& call) { impl_->call(id, call); }
std::vector<HostFigures> Hooks::figures() const { return impl_->figures(); }
std::uint64_t Hooks::shortages() const { return impl_->shortages(); }
std::string Hooks::proxies() const { return impl_->proxies(); }
void Hooks::close(std::function<void()> closed) { impl_->close(std::move(closed)); }

}  // namespace belay::hook
