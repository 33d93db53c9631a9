// The functions that the machines of the modes share: how a phase starts, in order or all at once,
// and what an answer means in each phase.
#pragma once

#include <cstdint>
#include <string>

#include "core/decision.h"

namespace belay::core {

// Starts the first operation of every branch that may start.
void first_in_order(Decision& decision);
void first_at_once(Decision& decision);

// Starts the confirming operation of every branch, in the order of the branches.
void confirm_in_order(Decision& decision);
void confirm_at_once(Decision& decision);

// Starts the undo operation of every branch that may have run, in the reverse order.
void undo_in_order(Decision& decision);
void undo_at_once(Decision& decision);
// False while a call of the branch is in flight; the end of that call runs the machine again.
bool may_be_undone(const Branch& branch);

// The time at which a call is repeated whose answer ended nothing.
std::uint64_t next_attempt_at(const Decision& decision, std::uint32_t branch,
                              const Outcome& outcome);

// Decides to abort if the deadline has passed.
bool turned_back_by_deadline(Decision& decision);

enum class FirstPhase : std::uint8_t {
  open,       // the call is repeated later
  succeeded,  // the transaction goes on
  // The transaction must turn back: a refusal, or no answer for Retry::limit calls.
  refused,
  // The transaction had turned back already and waited for this call.
  turned_back,
};
// Records the answer of a first operation.
FirstPhase first_answered(Decision& decision, std::uint32_t branch, Op op, const Outcome& outcome);
// Why the transaction turns back: to be called right after `refused`.
std::string refusal(const Decision& decision, std::uint32_t branch, Op op, const Outcome& outcome);

// Records the answer of an operation that can only end with success (an operation of the second
// phase, a delivery). After any other answer it is called again, without a limit, and shows as
// stuck. True: the operation has ended.
bool last_op_ended(Decision& decision, std::uint32_t branch, Op op, const Outcome& outcome);

}  // namespace belay::core
