// The name of a branch in its database: belay-REALM.GID.BRANCH.
//
// MariaDB stores it in two parts of at most 64 bytes, PostgreSQL in one part of at most 199. Realms
// and branches contain no dot, so the name can be split again, and two realms never share a name. A
// gid that is too long or has other characters is replaced by a tilde, which plain gids do not
// contain, and 128 bits of SHA-256 over realm, gid and branch: callers choose gids, so a simple
// checksum would not suffice.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace belay::xa {

inline constexpr std::size_t kRealmBytesMax = 24;

struct Xid {
  std::string transaction;  // MariaDB's gtrid: belay-REALM.GID
  std::string branch;       // MariaDB's bqual

  std::string text() const { return transaction + "." + branch; }
  bool operator==(const Xid&) const = default;
};

Xid make_xid(std::string_view realm, std::string_view gid, std::string_view branch_id);
// Parses a text that `Xid::text` may have made. The result has no character that must be quoted in
// SQL.
std::optional<Xid> xid_from(std::string_view text);
// The gid in the xid; empty if the xid has a digest instead.
std::string_view gid_of(const Xid& xid);
std::string_view realm_of(const Xid& xid);
// 1 to 24 characters of a-z, 0-9, '-'.
bool is_realm(std::string_view text);
// The prefix of all names of a realm; for an empty realm the prefix of all realms.
std::string prefix_of(std::string_view realm);

}  // namespace belay::xa
