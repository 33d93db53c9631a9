// The participant's guard: a table that remembers which calls had their effect, so that a repeated,
// a late and an empty call do no harm. Its columns and rules are those of dtm's sub-transaction
// barrier.
//
//   repeated  the same call again               → its row is there already: skip, and answer as
//   before empty     an undo of what never happened    → it could write the action's row itself:
//   skip late      an action after its undo          → the undo wrote the action's row: skip
#pragma once

#include <cstdint>
#include <string_view>

#include "belay/types.h"
#include "demo/database.h"

namespace belay::demo {

class Barrier {
 public:
  enum class Verdict : std::uint8_t { run, skip, broken };  // broken: the database failed

  // Creates the table.
  static Result<> create(Database& database);
  static Result<Barrier> open(Database& database);

  // Within the business's own database transaction, before the business. If the business says no,
  // roll back what this wrote along with it.
  Verdict enter(Database& database, std::string_view gid, std::string_view branch_id, Op op);

 private:
  explicit Barrier(Statement insert) : insert_(std::move(insert)) {}
  // 1 if the row is new, 0 if it was there, -1 if the database failed.
  int insert(Database& database, std::string_view gid, std::string_view branch_id, Op op,
             Op reason);

  Statement insert_;
};

}  // namespace belay::demo
