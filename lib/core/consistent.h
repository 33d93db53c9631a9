// Whether a transaction that comes from outside, as in an imported file, can have come to be.
#pragma once

#include "core/transaction.h"

namespace belay::core {

// True for every state that decisions lead to between two of them. The decisions go on from such a
// state; from another one they may end the process.
bool is_consistent(const Transaction& transaction);

}  // namespace belay::core
