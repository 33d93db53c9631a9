#include "h2/client.h"

#include <uv.h>

#include <algorithm>
#include <deque>
#include <list>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "belay/check.h"
#include "h2/channel.h"

namespace belay::h2 {

class Client::Impl final : Due {
 public:
  Impl(uv_loop_t* loop, const ClientOptions& options);
  void call(Request& request, const Origin& origin, Millis timeout);
  void close(std::function<void()> closed);
  std::uint64_t shortages() const { return shared_.shortages; }

 private:
  Channel& channel(const Origin& origin);
  bool make_room();
  void stirred(Channel& channel);
  void work();
  void due() override;  // sweeps
  void end();

  const std::size_t hosts_max_;
  const std::uint64_t idle_ms_, sweep_ms_;
  Handles handles_;
  TlsContext tls_;
  std::unique_ptr<Times> times_;
  std::unique_ptr<Lookup> lookup_;
  Shared shared_;
  std::list<Channel> channels_;  // the most recently used first
  std::unordered_map<std::string_view, std::list<Channel>::iterator> by_name_;
  std::deque<Channel*> stirred_;
  uv_idle_t* idle_;
  bool is_sweeping_ = false;
  bool is_closing_ = false;
  std::function<void()> closed_;
};

Client::Impl::Impl(uv_loop_t* loop, const ClientOptions& options)
    : hosts_max_(options.hosts_max),
      idle_ms_(options.idle_ms),
      sweep_ms_(options.sweep_ms),
      tls_(options.tls, options.tls_ms),
      times_(std::make_unique<Times>(loop, handles_)),
      lookup_(std::make_unique<Lookup>(loop, handles_)),
      shared_{
          loop, handles_,        *times_,         *lookup_,
          tls_, options.refuses, options.ping_ms, [this](Channel& channel) { stirred(channel); }},
      idle_(new uv_idle_t) {
  BELAY_CHECK(uv_idle_init(loop, idle_) == 0);
  idle_->data = this;
  handles_.opened();
}

void Client::Impl::call(Request& request, const Origin& origin, Millis timeout) {
  request.is_repeated_ = false;
  times_->set(request, times_->now() + static_cast<std::uint64_t>(timeout.count()));
  channel(origin).add(request);
}

Channel& Client::Impl::channel(const Origin& origin) {
  if (const auto found = by_name_.find(origin.name); found != by_name_.end()) {
    channels_.splice(channels_.begin(), channels_, found->second);
    return channels_.front();
  }
  channels_.emplace_front(shared_, origin);
  by_name_.emplace(channels_.front().name(), channels_.begin());
  if (!std::exchange(is_sweeping_, true)) times_->set(*this, times_->now() + sweep_ms_);
  return channels_.front();
}

// Not when a request comes: its caller may be within a `done`, whose channel is at work and already
// looks idle. If none of the oldest is idle, there are more: the calls in flight have a limit of
// their own.
bool Client::Impl::make_room() {
  constexpr int kLookedAtMax = 16;
  auto oldest = channels_.end();
  for (int i = 0; i < kLookedAtMax && oldest != channels_.begin(); ++i) {
    if (!(--oldest)->is_idle()) continue;
    std::erase(stirred_, &*oldest);
    by_name_.erase(oldest->name());
    channels_.erase(oldest);
    return true;
  }
  return false;
}

// All that is to be done for a channel is done together at the loop's next turn, so that the
// requests of one turn go out in one write. An idle handle runs at each turn, and keeps the loop
// from waiting in between.
void Client::Impl::stirred(Channel& channel) {
  if (is_closing_ || std::exchange(channel.is_stirred, true)) return;
  stirred_.push_back(&channel);
  uv_idle_start(idle_, [](uv_idle_t* idle) noexcept { static_cast<Impl*>(idle->data)->work(); });
}

void Client::Impl::work() {
  if (is_closing_) return end();
  while (channels_.size() > hosts_max_ && make_room()) {
  }
  // Those that are stirred meanwhile have their turn later.
  for (auto left = stirred_.size(); left != 0 && !stirred_.empty(); --left) {
    auto& channel = *stirred_.front();
    stirred_.pop_front();
    channel.is_stirred = false;
    channel.work();
    if (is_closing_) return;  // this function runs once more
  }
  if (stirred_.empty()) uv_idle_stop(idle_);
}

void Client::Impl::due() {
  const auto now = times_->now();
  for (auto it = channels_.begin(); it != channels_.end();) {
    it->sweep();
    const bool is_over = it->is_idle() && now - it->used_at() >= idle_ms_;
    if (is_over) {
      std::erase(stirred_, &*it);
      by_name_.erase(it->name());
    }
    it = is_over ? channels_.erase(it) : std::next(it);
  }
  is_sweeping_ = !channels_.empty();
  if (is_sweeping_) times_->set(*this, now + sweep_ms_);
}

// A request's `done` may ask for this, while a session is at work: the channels are destroyed at
// the next turn.
void Client::Impl::close(std::function<void()> closed) {
  is_closing_ = true;
  closed_ = std::move(closed);
  for (auto& channel : channels_) channel.forget();
  times_->clear(*this);
  uv_idle_start(idle_, [](uv_idle_t* idle) noexcept { static_cast<Impl*>(idle->data)->work(); });
}

void Client::Impl::end() {
  uv_idle_stop(idle_);
  by_name_.clear();
  channels_.clear();
  lookup_.reset();
  times_.reset();
  uv_close(reinterpret_cast<uv_handle_t*>(idle_), [](uv_handle_t* handle) noexcept {
    auto* self = static_cast<Impl*>(handle->data);
    delete reinterpret_cast<uv_idle_t*>(handle);
    self->handles_.closed();
  });
  handles_.when_closed(std::move(closed_));
}

Client::Client(ClientOptions options) : options_(std::move(options)) {}
Client::~Client() = default;

void Client::start(uv_loop_s* loop) { impl_ = std::make_unique<Impl>(loop, options_); }

void Client::call(Request& request, const Origin& origin, Millis timeout) {
  impl_->call(request, origin, timeout);
}

void Client::close(std::function<void()> closed) { impl_->close(std::move(closed)); }

std::uint64_t Client::shortages() const { return impl_ ? impl_->shortages() : 0; }

}  // namespace belay::h2
