// The life of a call: a place at its host, a request, curl's result, an outcome.
#include "hook/hooks.h"

#include <uv.h>

#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "belay/check.h"
#include "hook/address.h"
#include "hook/allow.h"
#include "hook/host_table.h"
#include "hook/http_request.h"
#include "hook/multi.h"
#include "hook/options.h"
#include "hook/proxy.h"
#include "hook/transfer.h"
#include "hook/url.h"

namespace belay::hook {
namespace {

constexpr std::size_t kSpareTransfersMax = 1'024;
constexpr std::string_view kNoMemory = "libcurl has no memory for this call";

// True if curl looks names up asynchronously: a look-up on the loop would stop all calls.
bool looks_up_aside() {
  return (curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_ASYNCHDNS) != 0;
}

}  // namespace

class Hooks::Impl {
 public:
  Impl(const HookOptions& options, AllowList allowed, std::unique_ptr<Multi> multi,
       std::uint64_t seed)
      : options_(options),
        proxies_(Proxies::make(options.proxy)),
        allowed_(std::move(allowed)),
        multi_(std::move(multi)),
        random_(seed),
        hosts_(options_, [this](std::string_view target) { return check(target); }) {}

  Result<> check(std::string_view target) const;
  Result<> start(uv_loop_s* loop, Answered answered, Opened opened);
  ports::Lane lane_of(std::string_view target);
  bool has_place(ports::Lane lane);
  std::optional<std::string> why_shut(ports::Lane lane);
  void call(ports::CallId id, const Call& call);
  std::vector<HostFigures> figures() const { return hosts_.figures(); }
  std::uint64_t shortages() const { return multi_->shortages() + shortages_; }
  std::string proxies() const { return proxies_.from_environment(); }
  void close(std::function<void()> closed);

 private:
  Result<> check(const Url& url, std::string_view target) const;
  std::uint64_t now() const { return uv_now(loop_); }
  void refuse(ports::CallId id, const Error& error);
  void refuse_for_memory(ports::CallId id);
  void on_ended(CURL* easy, CURLcode result);
  void finish(Transfer& transfer, const Transfer::End& end);
  std::unique_ptr<Transfer> take_spare();
  std::unique_ptr<Transfer> take_off(Transfer& transfer);
  void look(HostEntry& entry);
  void look_later(HostEntry& entry, std::uint64_t at);
  void set_timer();
  void on_timer();
  void handle_closed();

  const HookOptions options_;
  const Proxies proxies_;
  const AllowList allowed_;
  const bool looks_up_aside_ = looks_up_aside();
  const std::unique_ptr<Multi> multi_;
  std::uint64_t shortages_ = 0;  // shortages of memory
  std::mt19937_64 random_;
  HostTable hosts_;
  uv_loop_s* loop_ = nullptr;
  Answered answered_;
  Opened opened_;
  std::function<void()> closed_;
  int closing_parts_ = 0;

  KeptBytes kept_;
  std::vector<std::unique_ptr<Transfer>> in_flight_;
  std::vector<std::unique_ptr<Transfer>> spare_;

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
  // The proxy looks the name up, and no look-up of ours can tell what the proxy will find.
  if (!proxies_.of(url).empty() && !address_in(url.host) && !allowed_.names(url)) {
    return Error{ErrorCode::forbidden_target,
                 "'" + std::string(target) +
                     "' is called through a proxy, which might find a link-local address for its "
                     "name: only names in HookOptions::allowed_targets are called so"};
  }
  return {};
}

Result<> Hooks::Impl::check(std::string_view target) const {
  if (!looks_up_aside_) {
    return Error{ErrorCode::unsupported,
                 "no URL can be called: this libcurl has neither threads nor c-ares for names"};
  }
  const auto url = parse_url(target);
  if (!url) return url.error();
  if (url->json_rpc) {
    if (auto made = make_target(target); !made) return made.error();
  }
  return check(*url, target);
}

Result<> Hooks::Impl::start(uv_loop_s* loop, Answered answered, Opened opened) {
  loop_ = loop;
  answered_ = std::move(answered);
  opened_ = std::move(opened);
  BELAY_TRY(multi_->start(loop, [this](CURL* easy, CURLcode result) { on_ended(easy, result); }));
  timer_ = std::make_unique<uv_timer_t>();
  BELAY_CHECK(uv_timer_init(loop_, timer_.get()) == 0);  // needs no resource that could be short
  timer_->data = this;
  return {};
}

ports::Lane Hooks::Impl::lane_of(std::string_view target) {
  const auto* entry = hosts_.route(target).entry;
  return entry == nullptr ? 0 : entry->lane;  // a URL that cannot be called waits for no host
}

bool Hooks::Impl::has_place(ports::Lane lane) {
  auto* entry = hosts_.find(lane);
  if (entry == nullptr) return true;  // the host was idle and is forgotten
  const auto at = entry->host.place_at(now());
  if (at <= now()) return true;
  entry->wanted = true;
  look_later(*entry, at);
  return false;
}

std::optional<std::string> Hooks::Impl::why_shut(ports::Lane lane) {
  const auto* entry = hosts_.find(lane);
  if (entry == nullptr || entry->host.breaker() == BreakerState::closed) return std::nullopt;
  return "the circuit breaker of " + entry->name + " is open, since its calls have no answer";
}

void Hooks::Impl::call(ports::CallId id, const Call& call) {
  const auto& route = hosts_.route(call.target);
  if (!route.target) return refuse(id, route.target.error());
  auto transfer = take_spare();
  if (!transfer) return refuse_for_memory(id);
  if (const auto made = transfer->request.make(call, *route.target, random_() | 1); !made) {
    spare_.push_back(std::move(transfer));
    return refuse(id, made.error());
  }
  transfer->id = id;
  transfer->lane = route.entry->lane;
  transfer->begin(now(), call.timeout);
  if (!multi_->add(transfer->easy())) {
    spare_.push_back(std::move(transfer));
    return refuse_for_memory(id);
  }
  transfer->ticket = route.entry->host.begin(now());
  transfer->place = in_flight_.size();
  in_flight_.push_back(std::move(transfer));
}

void Hooks::Impl::refuse(ports::CallId id, const Error& error) {
  refused_.emplace_back(id, Outcome::unknown(error.detail));
  set_timer();
}

void Hooks::Impl::refuse_for_memory(ports::CallId id) {
  ++shortages_;
  refuse(id, {ErrorCode::resources, std::string(kNoMemory)});
}

std::unique_ptr<Transfer> Hooks::Impl::take_spare() {
  if (spare_.empty()) return Transfer::make(options_, proxies_, *multi_, kept_);
  auto transfer = std::move(spare_.back());
  spare_.pop_back();
  return transfer;
}

std::unique_ptr<Transfer> Hooks::Impl::take_off(Transfer& transfer) {
  const auto place = transfer.place;
  auto taken = std::move(in_flight_[place]);
  if (place + 1 != in_flight_.size()) {
    in_flight_[place] = std::move(in_flight_.back());
    in_flight_[place]->place = place;
  }
  in_flight_.pop_back();
  return taken;
}

void Hooks::Impl::on_ended(CURL* easy, CURLcode result) {
  auto& transfer = Transfer::of(easy);
  const auto end = transfer.end(result, now());
  if (end) return finish(transfer, *end);
  if (multi_->add(easy)) return;
  ++shortages_;
  finish(transfer, {Host::End::not_made, Outcome::unknown(std::string(kNoMemory))});
}

void Hooks::Impl::finish(Transfer& transfer, const Transfer::End& end) {
  auto done = take_off(transfer);
  const auto id = done->id;
  const auto lane = done->lane;
  // The host was not idle while it had this call, so it is still in the table.
  auto* entry = hosts_.find(lane);
  BELAY_CHECK(entry != nullptr);
  entry->host.end(now(), done->ticket, end.host, end.outcome.kind());
  if (spare_.size() < kSpareTransfersMax) {
    done->rest();
    spare_.push_back(std::move(done));
  }
  answered_(id, end.outcome);
  if (auto* still = hosts_.find(lane); still != nullptr) look(*still);
}

// Reports a free place to the waiting calls, if there is one.
void Hooks::Impl::look(HostEntry& entry) {
  if (!entry.wanted) return;
  const auto at = entry.host.place_at(now());
  if (at > now()) return look_later(entry, at);
  entry.wanted = false;
  looks_.erase({entry.look_at, entry.lane});
  entry.look_at = 0;
  opened_(entry.lane);
}

void Hooks::Impl::look_later(HostEntry& entry, std::uint64_t at) {
  if (entry.look_at == at) return;
  looks_.erase({entry.look_at, entry.lane});
  entry.look_at = at == Host::kNever ? 0 : at;
  if (entry.look_at != 0) looks_.emplace(at, entry.lane);
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
    auto* entry = hosts_.find(looks_.begin()->second);
    looks_.erase(looks_.begin());
    if (entry == nullptr) continue;
    entry->look_at = 0;
    look(*entry);
  }
  set_timer();
}

void Hooks::Impl::close(std::function<void()> closed) {
  closed_ = std::move(closed);
  for (const auto& transfer : in_flight_) multi_->remove(transfer->easy());
  in_flight_.clear();
  spare_.clear();
  closing_parts_ = 2;
  multi_->close([this] { handle_closed(); });
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

Result<std::unique_ptr<Hooks>> Hooks::make(const HookOptions& options, std::uint64_t seed) {
  static const auto initialized = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialized != CURLE_OK) return Error{ErrorCode::resources, "libcurl does not start"};
  BELAY_TRY(check_options(options));
  auto allowed = AllowList::make(options.allowed_targets);
  if (!allowed) return allowed.error();
  auto multi = Multi::make();
  if (!multi) return multi.error();
  return std::unique_ptr<Hooks>(
      new Hooks(std::make_unique<Impl>(options, std::move(*allowed), std::move(*multi), seed)));
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
