// XaDatabase: the handlers that the engine calls on its loop, and the pool that does the work.
#include <fmt/format.h>

#include <deque>

#include "base/forks.h"
#include "base/invalid.h"
#include "base/mutex.h"
#include "base/quiet_signals.h"
#include "base/spans.h"
#include "belay/features.h"
#include "belay/xa.h"
#include "xa/branch.h"
#include "xa/pool.h"

namespace belay {
namespace {

constexpr unsigned kConnectionsMax = 256;
constexpr Millis kTimeoutMax = base::kHour;
constexpr std::string_view kCommit = "commit";
constexpr std::string_view kRollback = "rollback";

Error moved_from() { return {ErrorCode::misuse, "this XaDatabase was moved from"}; }

Result<> check(std::string_view realm, const XaOptions& options) {
  if (!xa::is_realm(realm)) {
    return base::invalid(
        fmt::format("XaOptions::realm is '{}', it must be 1 to {} characters of a-z, "
                    "0-9, '-' (empty: the participant's name)",
                    realm, xa::kRealmBytesMax));
  }
  if (options.connections_max < 1 || options.connections_max > kConnectionsMax) {
    return base::invalid(fmt::format("XaOptions::connections_max is {}, it must be 1 to {}",
                                     options.connections_max, kConnectionsMax));
  }
  for (const auto timeout : {options.connect_timeout, options.lock_timeout}) {
    if (timeout >= Millis(1) && timeout <= kTimeoutMax) continue;
    return base::invalid("XaOptions::connect_timeout and lock_timeout must be 1 ms to 1 h");
  }
  return {};
}

}  // namespace

class XaDatabase::Impl {
 public:
  Impl(Engine& engine, XaKind kind, std::string_view name, std::string_view realm)
      : engine_(engine), kind_(kind), name_(name), realm_(realm) {}

  // Ends the pool. The other parts stay: the engine refers to them and may still call. In a forked
  // process the pool stays as well, because its threads do not exist there.
  static void let_go(std::unique_ptr<Impl> impl);
  static Result<XaDatabase> open(std::unique_ptr<Impl> impl,
                                 Result<std::unique_ptr<xa::Connector>> connector,
                                 const XaOptions& options);
  Result<> handle(std::string_view operation, XaKind kind, const xa::Work& work);
  std::string target(std::string_view operation) const {
    return fmt::format("{}.{}", name_, operation);
  }

 private:
  struct Operation {
    Impl* impl;
    xa::Work work;
  };

  static void on_prepare(const Call& call, Reply reply, void* user);
  static void on_commit(const Call& call, Reply reply, void* user);
  static void on_rollback(const Call& call, Reply reply, void* user);
  void enqueue(xa::Phase phase, const Call& call, Reply reply,
               std::function<Outcome(xa::Session&, const xa::Branch&)> run);

  Engine& engine_;
  const XaKind kind_;
  const std::string name_;
  const std::string realm_;
  const base::Home home_;
  base::Mutex mutex_;
  std::deque<Operation> operations_ BELAY_GUARDED_BY(mutex_);
  std::unique_ptr<xa::Pool> pool_;
};

Result<XaDatabase> XaDatabase::Impl::open(std::unique_ptr<Impl> impl,
                                          Result<std::unique_ptr<xa::Connector>> connector,
                                          const XaOptions& options) {
  const base::QuietSignals quiet;  // the first session is made on the caller's thread
  BELAY_TRY(check(impl->realm_, options));
  if (!connector) return connector.error();
  auto session = (*connector)->connect();
  if (!session) return session.error();
  BELAY_TRY((*session)->make_ready());
  auto pool = xa::Pool::make(std::move(*connector), std::move(*session),
                             xa::PoolLimits{options.connections_max, options.lock_timeout});
  if (!pool) return pool.error();
  impl->pool_ = std::move(*pool);
  BELAY_TRY(impl->engine_.note_realm({impl->kind_, impl->realm_, impl->name_}));
  auto& engine = impl->engine_;
  BELAY_TRY(engine.handle_async(impl->target(kCommit), on_commit, impl.get()));
  const auto second = engine.handle_async(impl->target(kRollback), on_rollback, impl.get());
  if (second) return XaDatabase(std::move(impl));
  let_go(std::move(impl));
  return second.error();
}

void XaDatabase::Impl::let_go(std::unique_ptr<Impl> impl) {
  const base::QuietSignals quiet;  // idle sessions are ended on the caller's thread
  std::unique_ptr<xa::Pool> pool;
  if (!impl->home_.left()) {
    const base::Lock lock(impl->mutex_);
    pool = std::move(impl->pool_);
  }
  base::keep(std::move(impl));
}

Result<> XaDatabase::Impl::handle(std::string_view operation, XaKind kind, const xa::Work& work) {
  if (kind != kind_) {
    return Error{ErrorCode::misuse,
                 fmt::format("'{}' is the work of the other kind of database", target(operation))};
  }
  if (operation.empty()) return base::invalid("the operation's name is empty");
  if (work.postgresql == nullptr && work.mariadb == nullptr) {
    return base::invalid(fmt::format("'{}' has no work: the function is null", target(operation)));
  }
  Operation* entry = nullptr;
  {
    const base::Lock lock(mutex_);
    entry = &operations_.emplace_back(Operation{this, work});
  }
  return engine_.handle_async(target(operation), on_prepare, entry);
}

void XaDatabase::Impl::on_prepare(const Call& call, Reply reply, void* user) {
  const auto* operation = static_cast<Operation*>(user);
  operation->impl->enqueue(
      xa::Phase::first, call, std::move(reply),
      [call, work = operation->work](xa::Session& session, const xa::Branch& branch) {
        return xa::prepare(session, branch, [&](xa::Session& on) { return on.work(call, work); });
      });
}

void XaDatabase::Impl::on_commit(const Call& call, Reply reply, void* user) {
  static_cast<Impl*>(user)->enqueue(xa::Phase::second, call, std::move(reply), xa::commit);
}

void XaDatabase::Impl::on_rollback(const Call& call, Reply reply, void* user) {
  static_cast<Impl*>(user)->enqueue(xa::Phase::second, call, std::move(reply), xa::roll_back);
}

void XaDatabase::Impl::enqueue(xa::Phase phase, const Call& call, Reply reply,
                               std::function<Outcome(xa::Session&, const xa::Branch&)> run) {
  const xa::Branch branch{xa::make_xid(realm_, call.gid, call.branch_id),
                          {call.gid, call.branch_id, realm_}};
  const base::Lock lock(mutex_);
  if (!pool_) return;  // the reply is destroyed: unknown
  pool_->add({phase, branch.xid.text(), call.timeout,
              [branch, run = std::move(run)](xa::Session& session) { return run(session, branch); },
              std::move(reply)});
}

XaDatabase::XaDatabase(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
XaDatabase::XaDatabase(XaDatabase&&) noexcept = default;

XaDatabase& XaDatabase::operator=(XaDatabase&& other) noexcept {
  if (this != &other) {
    const XaDatabase old(std::move(*this));
    impl_ = std::move(other.impl_);
  }
  return *this;
}

XaDatabase::~XaDatabase() {
  if (impl_) Impl::let_go(std::move(impl_));
}

Result<XaDatabase> XaDatabase::postgresql(Engine& engine, std::string_view name,
                                          std::string_view conninfo, const XaOptions& options) {
  const std::string_view realm = options.realm.empty() ? name : std::string_view(options.realm);
  return Impl::open(std::make_unique<Impl>(engine, XaKind::postgresql, name, realm),
                    xa::postgresql_connector(conninfo, options.connect_timeout), options);
}

Result<XaDatabase> XaDatabase::mariadb(Engine& engine, std::string_view name,
                                       std::string_view conninfo, const XaOptions& options) {
  const std::string_view realm = options.realm.empty() ? name : std::string_view(options.realm);
  return Impl::open(std::make_unique<Impl>(engine, XaKind::mariadb, name, realm),
                    xa::mariadb_connector(conninfo, options.connect_timeout), options);
}

Result<> XaDatabase::handle(std::string_view operation, PgWork work, void* user) {
  if (!impl_) return moved_from();
  return impl_->handle(operation, XaKind::postgresql, {work, nullptr, user});
}

Result<> XaDatabase::handle(std::string_view operation, MariaDbWork work, void* user) {
  if (!impl_) return moved_from();
  return impl_->handle(operation, XaKind::mariadb, {nullptr, work, user});
}

TwoPhaseBranch XaDatabase::branch(std::string_view operation, std::string_view payload,
                                  StepOptions options) const {
  if (!impl_) return {};
  return {impl_->target(operation), impl_->target(kCommit), impl_->target(kRollback),
          std::string(payload), std::move(options)};
}

}  // namespace belay
