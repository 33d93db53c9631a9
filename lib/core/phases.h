// What the machines of the modes share: starting a phase in order or at once, and what an answer
// means in each phase.
#pragma once

#include <cstdint>
#include <string>

#include "core/decision.h"

namespace belay::core {

// Starts the first op of every branch that may start.
void first_in_order(Decision& decision);
void first_at_once(Decision& decision);

// Starts the op that confirms, of every branch; in the order of the branches.
void confirm_in_order(Decision& decision);
void confirm_at_once(Decision& decision);

// Starts the op that undoes, of every branch that may have run; in the reverse order.
void undo_in_order(Decision& decision);
void undo_at_once(Decision& decision);
// Not while a call of its own is in flight; that call's end brings the machine here again.
bool may_be_undone(const Branch& branch);

// When a call that ended nothing is made again.
std::uint64_t next_attempt_at(const Decision& decision, std::uint32_t branch,
                              const Outcome& outcome);

// Decides to abort if the deadline has passed.
bool turned_back_by_deadline(Decision& decision);

enum class FirstPhase : std::uint8_t {
  open,         // asked again later
  succeeded,    // the transaction goes on
  refused,      // it has to turn back: a business no, or no answer for Retry::limit calls
  turned_back,  // it had turned back already, and waited for this call
};
// Records the answer of a first op.
FirstPhase first_answered(Decision& decision, std::uint32_t branch, Op op, const Outcome& outcome);
// Why it turns back: to be asked for right after `refused`.
std::string refusal(const Decision& decision, std::uint32_t branch, Op op, const Outcome& outcome);

// Records the answer of an op with no way back but success (a second one, a delivery): whatever
// else it answers, it is asked again, for ever, and shows as stuck. True: it ended.
bool last_op_ended(Decision& decision, std::uint32_t branch, Op op, const Outcome& outcome);

}  // namespace belay::core
