// Prepared transactions for an operator: listed and ended without an engine.
#include <fmt/format.h>

#include "base/quiet_signals.h"
#include "belay/xa.h"
#include "xa/session.h"

namespace belay {
namespace {

constexpr Millis kConnectTimeout{5'000};
constexpr xa::Bounds kBounds{Millis(30'000), Millis(2'000)};

Result<std::unique_ptr<xa::Session>> connect(XaKind kind, std::string_view conninfo) {
  const auto connector = kind == XaKind::postgresql
                             ? xa::postgresql_connector(conninfo, kConnectTimeout)
                             : xa::mariadb_connector(conninfo, kConnectTimeout);
  if (!connector) return connector.error();
  auto session = (*connector)->connect();
  if (session) BELAY_TRY((*session)->bound(kBounds));
  return session;
}

Result<> end_prepared(XaKind kind, std::string_view conninfo, std::string_view xid,
                      Result<xa::Ended> (*end)(xa::Session&, const xa::Xid&)) {
  const base::QuietSignals quiet;
  const auto parts = xa::xid_from(xid);
  if (!parts) {
    return Error{ErrorCode::invalid_argument, fmt::format("'{}' is no xid of belay's", xid)};
  }
  const auto session = connect(kind, conninfo);
  if (!session) return session.error();
  const auto ended = end(**session, *parts);
  if (!ended) return ended.error();
  switch (*ended) {
    case xa::Ended::yes: return {};
    case xa::Ended::gone:
      return Error{ErrorCode::not_found, fmt::format("there is no prepared '{}'", xid)};
    case xa::Ended::held: break;
  }
  return Error{ErrorCode::busy,
               fmt::format("'{}' belongs to a connection that is still open", xid)};
}

// A database may report a successful commit without having done it: see branch.cc. If the xid
// contains the row's key, the row shows whether the transaction was committed.
Result<xa::Ended> commit_and_look(xa::Session& session, const xa::Xid& xid) {
  auto ended = session.commit(xid);
  if (!ended || *ended != xa::Ended::yes || xa::gid_of(xid).empty()) return ended;
  const auto row = session.row({xa::gid_of(xid), xid.branch, xa::realm_of(xid)});
  if (!row) return row.error();
  if (*row == xa::Row::done) return ended;
  return Error{ErrorCode::forbidden,
               fmt::format("the database said that it committed '{}', and did not: the barrier's "
                           "row of that branch is not there",
                           xid.text())};
}

}  // namespace

Result<std::vector<PreparedXa>> list_prepared(XaKind kind, std::string_view conninfo,
                                              std::string_view realm) {
  if (!realm.empty() && !xa::is_realm(realm)) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("'{}' is no realm: 1 to {} characters of a-z, 0-9, '-'", realm,
                             xa::kRealmBytesMax)};
  }
  const base::QuietSignals quiet;
  const auto session = connect(kind, conninfo);
  if (!session) return session.error();
  return (*session)->list(realm);
}

Result<> roll_back_prepared(XaKind kind, std::string_view conninfo, std::string_view xid) {
  return end_prepared(kind, conninfo, xid,
                      [](xa::Session& session, const xa::Xid& one) -> Result<xa::Ended> {
                        return session.roll_back(one);
                      });
}

Result<> commit_prepared(XaKind kind, std::string_view conninfo, std::string_view xid) {
  return end_prepared(kind, conninfo, xid, commit_and_look);
}

}  // namespace belay
