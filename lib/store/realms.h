// The realms of XA participants, one row of `meta` each: the name is "xa_realm:KIND:REALM", the
// value is the participant's name. The rows are never deleted: prepared transactions of a realm may
// outlive the participant.
#pragma once

#include <vector>

#include "belay/result.h"
#include "belay/xa_realm.h"
#include "sqlite/sqlite.h"

namespace belay::store {

Result<> write_realms(sqlite::Statement& set, const std::vector<XaRealm>& realms);
// Ordered by kind and realm.
Result<std::vector<XaRealm>> read_realms(sqlite::Database& database);

}  // namespace belay::store
