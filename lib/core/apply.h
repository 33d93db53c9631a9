// The only code that changes a transaction: while the engine runs, at recovery, in a reader and in
// tests.
#pragma once

#include "belay/result.h"
#include "core/record.h"
#include "core/transaction.h"

namespace belay::core {

// Makes a transaction from its `submitted` or `prepared` record. Error: corrupt (the definition
// cannot be read).
Result<Transaction> begin(const Record& submitted);
// The same with the parsed definition of `submitted.text`.
Transaction begin(const Record& submitted, Definition definition);
// Applies any later record. Error: corrupt (the record is illegal in this state); the transaction
// is then unchanged.
Result<> apply(Transaction& transaction, const Record& record);

}  // namespace belay::core
