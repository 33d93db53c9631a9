// The operations of a participant for one call of an XA branch, the same for every database.
#pragma once

#include <functional>

#include "belay/call.h"
#include "xa/session.h"

namespace belay::xa {

struct Branch {
  Xid xid;
  Key key;
};

Outcome prepare(Session& session, const Branch& branch,
                const std::function<Outcome(Session&)>& work);
Outcome commit(Session& session, const Branch& branch);
Outcome roll_back(Session& session, const Branch& branch);

}  // namespace belay::xa
