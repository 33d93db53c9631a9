// Whether a transaction that comes from a file can have come to be, and goes on.
#pragma once

#include "core/transaction.h"

namespace belay::core {

// What `apply` promises, record by record: the states of the branches fit the mode and the status.
bool fits_mode(const Transaction& transaction);
// True for every state that decisions lead to between two of them. The decisions go on from such a
// state; from another one they may end the process.
bool is_consistent(const Transaction& transaction);
// True if the transaction is final, has a next wake-up, waits for somebody's word, or has a call
// that may be in flight. Any other one would stand still for ever.
bool will_wake(const Transaction& transaction);

}  // namespace belay::core
