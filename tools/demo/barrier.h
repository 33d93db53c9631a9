// The participant's guard, for one that does many calls' work in one database transaction: table
// and rules are those of belay::Barrier (belay/barrier.h), which has a transaction of its own for
// every call. A table remembers which calls had their effect, so that a repeated, a late and an
// empty one do no harm.
//
//   repeated  the same call again               → its row is there already: skip, and answer as
//   before
//   empty     an undo of what never happened    → it could write that one's row itself: skip
//   late      a call after its undo             → the undo wrote the call's row: skip
//   barred    a message's own debit, after its  → the back-check wrote the debit's row: refused
//             back-check said that there was none
#pragma once

#include <cstdint>
#include <string_view>

#include "demo/database.h"

namespace belay::demo {

class BatchBarrier {
 public:
  enum class Verdict : std::uint8_t { run, skip, refused, broken };  // broken: the database failed

  // A call by its names in the table.
  struct Key {
    std::string_view trans_type;
    std::string_view gid;
    std::string_view branch_id;
    std::string_view op;
  };

  // Of a database that has the table.
  static Result<BatchBarrier> open(Database& database);

  // Within the business's own database transaction, before the business. If the business says no,
  // roll back what this wrote along with it.
  Verdict enter(Database& database, const Key& key);

 private:
  BatchBarrier(Statement insert, Statement reason)
      : insert_(std::move(insert)), reason_(std::move(reason)) {}
  // Writes the row of `op` on behalf of the key's own: 1 if it is new, 0 if it was there, -1 if the
  // database failed.
  int insert(Database& database, const Key& key, std::string_view op);
  Verdict reason(const Key& key);

  Statement insert_;
  Statement reason_;
};

}  // namespace belay::demo
