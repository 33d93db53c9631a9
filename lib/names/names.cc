// The table on a libuv loop, with its sources.
#include "names/names.h"

#include <uv.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/ascii.h"
#include "base/invalid.h"
#include "base/mutex.h"
#include "belay/check.h"
#include "names/own_check.h"
#include "names/resolver.h"
#include "names/table.h"
#include "names/timers.h"

namespace belay::names {

// What leads back to the loop, for functions that outlive it.
class LoopGate {
 public:
  using Post = std::function<void(std::function<void()>)>;

  explicit LoopGate(Post post) : post_(std::move(post)) {}
  void post(std::function<void()> function) {
    const base::Lock lock(mutex_);
    if (post_) post_(std::move(function));
  }
  void shut() {
    const base::Lock lock(mutex_);
    post_ = nullptr;
  }

 private:
  base::Mutex mutex_;
  Post post_ BELAY_GUARDED_BY(mutex_);
};

namespace {

// The name in a registry for which a name of an alias stands.
Name meant_by(const Name& name, const Name& alias) {
  auto meant = alias;
  meant.protocol = name.protocol;
  meant.name.replace(meant.name.find(kNamePlace), kNamePlace.size(), name.name);
  return meant;
}

}  // namespace

class Names::Impl {
 public:
  Impl(Resolvers resolvers, const Aliases& aliases, const base::Log& log)
      : resolvers_(std::move(resolvers)), log_(log) {
    for (const auto& [word, registry] : aliases) aliases_.emplace(word, *parse_registry(registry));
  }

  Result<> check(std::string_view target) const;
  Result<> start(uv_loop_s* loop, Http& http, LoopGate::Post post);
  void close(std::function<void()> closed);
  Table& table() { return *table_; }

 private:
  std::unique_ptr<Watch> watch(const Name& name, Listener listener);
  void set_timer();

  const Resolvers resolvers_;
  std::map<std::string, Name, std::less<>> aliases_;
  const base::Log& log_;
  uv_loop_s* loop_ = nullptr;
  std::shared_ptr<LoopGate> gate_;
  std::unique_ptr<uv_timer_t> timer_;
  std::function<void()> closed_;
  Timers timers_{[this] { return uv_now(loop_); }, [this] { set_timer(); }};
  std::optional<Site> site_;
  std::optional<Table> table_;
};

Result<> Names::Impl::check(std::string_view target) const {
  const auto parsed = parse_name(target);
  if (!parsed) return parsed.error();
  const auto& scheme = parsed->name.scheme;
  const bool is_known = parsed->name.source != Source::own ||
                        resolvers_.find(scheme) != resolvers_.end() ||
                        aliases_.find(scheme) != aliases_.end();
  if (is_known) return {};
  return base::invalid("the target names the source '" + scheme +
                       "': it is none of etcd, consul, dns and dns+srv, and nothing else is called "
                       "so; nor is the target a URL of http, https, jsonrpc+http, jsonrpc+https, "
                       "grpc or grpcs");
}

Result<> Names::Impl::start(uv_loop_s* loop, Http& http, LoopGate::Post post) {
  loop_ = loop;
  gate_ = std::make_shared<LoopGate>(std::move(post));
  timer_ = std::make_unique<uv_timer_t>();
  BELAY_CHECK(uv_timer_init(loop_, timer_.get()) == 0);  // needs no resource that could be short
  timer_->data = this;
  site_.emplace(Site{timers_, http, log_, loop, [gate = gate_](std::function<void()> function) {
                       gate->post(std::move(function));
                     }});
  table_.emplace(timers_, log_, [this](const Name& name, Listener listener) {
    return watch(name, std::move(listener));
  });
  return {};
}

std::unique_ptr<Watch> Names::Impl::watch(const Name& name, Listener listener) {
  switch (name.source) {
    case Source::etcd: return watch_etcd(*site_, name, std::move(listener));
    case Source::consul: return watch_consul(*site_, name, std::move(listener));
    case Source::dns:
    case Source::dns_srv: return watch_dns(*site_, name, std::move(listener));
    case Source::own: break;
  }
  if (const auto alias = aliases_.find(name.scheme); alias != aliases_.end())
    return watch(meant_by(name, alias->second), std::move(listener));
  return watch_own(*site_, name, resolvers_.at(name.scheme), std::move(listener));
}

// A timer of 0 ms that its own callback starts would keep libuv from polling, so what is added
// there for the same moment has to wait for a millisecond.
void Names::Impl::set_timer() {
  const auto next = timers_.next();
  if (next == Timers::kNever) {
    uv_timer_stop(timer_.get());
    return;
  }
  constexpr auto fire = [](uv_timer_t* handle) noexcept {
    auto& self = *static_cast<Impl*>(handle->data);
    self.timers_.run();
    if (uv_is_closing(reinterpret_cast<uv_handle_t*>(handle)) == 0) self.set_timer();
  };
  const auto now = uv_now(loop_);
  uv_timer_start(timer_.get(), fire, next > now ? next - now : 1, 0);
}

void Names::Impl::close(std::function<void()> closed) {
  closed_ = std::move(closed);
  gate_->shut();
  table_->clear();
  uv_close(reinterpret_cast<uv_handle_t*>(timer_.get()), [](uv_handle_t* handle) noexcept {
    // `closed_now` may destroy this object.
    const auto closed_now = std::move(static_cast<Impl*>(handle->data)->closed_);
    closed_now();
  });
}

Names::Names(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Names::~Names() = default;

Result<std::unique_ptr<Names>> Names::make(Resolvers resolvers, const Aliases& aliases,
                                           const base::Log& log) {
  BELAY_TRY(check_own(resolvers, aliases));
  return std::unique_ptr<Names>(
      new Names(std::make_unique<Impl>(std::move(resolvers), aliases, log)));
}

Result<> Names::check(std::string_view target) const { return impl_->check(target); }

Result<> Names::start(uv_loop_s* loop, Http& http,
                      std::function<void(std::function<void()>)> post) {
  return impl_->start(loop, http, std::move(post));
}

LookUp Names::look_up(const Name& name, Found found) {
  return impl_->table().look_up(name, std::move(found));
}

void Names::forget(Ticket ticket) { impl_->table().forget(ticket); }
std::vector<NameFigures> Names::figures() const { return impl_->table().figures(); }
void Names::close(std::function<void()> closed) { impl_->close(std::move(closed)); }

}  // namespace belay::names
