// Prepared transactions as an operator sees them: without an engine.
#include <fmt/format.h>

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

}  // namespace

Result<std::vector<PreparedXa>> list_prepared(XaKind kind, std::string_view conninfo,
                                              std::string_view realm) {
  if (!realm.empty() && !xa::is_realm(realm)) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("'{}' is no realm: 1 to {} characters of a-z, 0-9, '-'", realm,
                             xa::kRealmBytesMax)};
  }
  const auto session = connect(kind, conninfo);
  if (!session) return session.error();
  return (*session)->list(realm);
}

Result<> roll_back_prepared(XaKind kind, std::string_view conninfo, std::string_view xid) {
  const auto parts = xa::xid_from(xid);
  if (!parts) {
    return Error{ErrorCode::invalid_argument, fmt::format("'{}' is no xid of belay's", xid)};
  }
  const auto session = connect(kind, conninfo);
  if (!session) return session.error();
  const auto ended = (*session)->roll_back(*parts);
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

}  // namespace belay
