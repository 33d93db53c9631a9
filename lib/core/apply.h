// The only code that changes a transaction: live, at recovery, in a reader, in a test.
#pragma once

#include "belay/result.h"
#include "core/record.h"
#include "core/transaction.h"

namespace belay::core {

// A transaction out of its `submitted` record. Error: corrupt (the definition cannot be read).
Result<Transaction> begin(const Record& submitted);
// The same with the definition parsed already: that of `submitted.text`.
Transaction begin(const Record& submitted, Definition definition);
// Any later record. Error: corrupt (illegal in this state); the transaction is unchanged then.
Result<> apply(Transaction& transaction, const Record& record);

}  // namespace belay::core
