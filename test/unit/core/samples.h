// One of each thing the codecs write, with every field set.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "belay/saga.h"
#include "core/record.h"
#include "core/transaction.h"

namespace belay::test {

// Three steps as a graph; every option of the whole and of a step is used.
Saga rich_saga();
// Bytes of a saga that must be valid.
std::string encoded(const Saga& saga);
core::Definition parsed(const Saga& saga);

// One of every kind, with extreme numbers. Its texts live as long as the program.
std::vector<core::Record> extreme_records();
std::string sealed(const std::vector<core::Record>& records);
// All records of a sealed batch; the first error instead, if there is one.
// Their texts are views into the batch, which therefore must not be a temporary.
Result<std::vector<core::Record>> unsealed(std::string_view batch);
Result<std::vector<core::Record>> unsealed(std::string&& batch) = delete;
bool same(const core::Record& a, const core::Record& b);

// Turned back, one branch to be retried, one parked, one undone.
core::Transaction rich_transaction();

// "0a ff": for committed bytes, and for a message.
std::string hex(std::string_view bytes);

}  // namespace belay::test
