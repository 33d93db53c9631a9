// One of each thing the codecs write, with every field set.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "belay/msg.h"
#include "belay/saga.h"
#include "belay/tcc.h"
#include "belay/workflow.h"
#include "core/definition.h"
#include "core/record.h"
#include "core/transaction.h"

namespace belay::test {

// Three steps as a graph; every option of the whole and of a step is used.
Saga rich_saga();
// Two branches in order, one with options of its own.
Tcc rich_tcc();
// Two branches, one with an id of its caller's.
Xa named_xa();
// To a handler and to a topic at once, with a back-check and a delay.
Msg rich_msg();
// Called back with an input, with options of its own.
Workflow rich_workflow();
// Bytes of a description that must be valid.
std::string encoded(Description description, core::Entry entry = core::Entry::submit);
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

// Driven by its caller: two branches brought, which succeeded; of two added, one refused and one to
// be asked again.
core::Transaction driven_transaction();
// Submitted after its back-check was asked; its topic went to two subscribers, one to be called
// again.
core::Transaction msg_transaction();
// Two steps remembered, its callback lost once and then parked.
core::Transaction workflow_transaction();
// Their records, without the first.
std::vector<core::Record> driven_records();
std::vector<core::Record> operator_records();
std::vector<core::Record> msg_records();
std::vector<core::Record> workflow_records();

// "0a ff": for committed bytes, and for a message.
std::string hex(std::string_view bytes);

}  // namespace belay::test
