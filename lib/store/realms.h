// The realms of XA participants, one row of `meta` each: "xa_realm:KIND:REALM" and the
// participant's name. They are never deleted: what was prepared under one may outlive the
// participant.
#pragma once

#include <vector>

#include "belay/result.h"
#include "belay/xa_realm.h"
#include "store/sqlite.h"

namespace belay::store {

Result<> write_realms(Statement& set, const std::vector<XaRealm>& realms);
// Ordered by kind and realm.
Result<std::vector<XaRealm>> read_realms(Database& database);

}  // namespace belay::store
