// What a branch is called in its database: belay-REALM.GID.BRANCH.
//
// MariaDB takes it in two parts of 64 bytes at most, PostgreSQL as one of 199. A realm and a
// branch have no dot, so the name can be taken apart again and two realms never share one. A gid
// that is too long or has other characters is given by a tilde, which plain ones do not have, and
// 128 bits of SHA-256 over gid and branch: callers choose gids, so a mere checksum will not do.
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
// Of a text that `Xid::text` may have made; it has no character that needs quoting in SQL.
std::optional<Xid> xid_from(std::string_view text);
// The gid within it; nothing where a digest stands for it.
std::string_view gid_of(const Xid& xid);
std::string_view realm_of(const Xid& xid);
// 1 to 24 characters of a-z, 0-9, '-'.
bool is_realm(std::string_view text);
// What all names of a realm begin with; of an empty one: of every realm.
std::string prefix_of(std::string_view realm);

}  // namespace belay::xa
