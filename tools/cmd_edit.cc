// `belay edit`: changes what a branch is called with.
#include "orders.h"

namespace belay::tool {
namespace {

constexpr const char* kEditDetails = R"(
For a branch that its service cannot take as it is: from now on it is called at another
TARGET, or with another payload or other headers. If it waits for an answer, it is called
at once. Only an operation that has not ended can be edited; the payload and the
headers are those of all operations of the branch that are still to be called. BRANCH and
OP are as `belay why GID` and `belay show GID` show them.

A call before may have run with the old values. See first what the service makes of a
second one: by the branch's id it may take it for a repetition, and leave it out. The
transaction stays as it was submitted; the edit is kept beside it, and `belay log` shows
what was changed, the reason, the ticket, and who gave them. A transaction can be edited
100 times.

On a terminal the command asks first, elsewhere it needs --yes. With --server it is for
what a running `belay serve` has; with --db for what the program has that has the file
open. If none has, the command changes the file itself and calls nothing. While a call of
the branch is out it cannot be edited; with --db the command waits for that call, for 10
seconds. Exit code 0: it is decided; 1: it cannot be called so; 3: there is no such
transaction; 4: there is no such branch, or its operation has ended or is never called; 5:
the engine does not answer, or the branch is being called.

Examples:
  belay edit order-42 02 action --payload corrected.json --db orders.db --reason "wrong price"
  belay edit order-42 01 compensate --target http://stock2.example/undo --db orders.db \
    --reason "moved" --yes
)";

}  // namespace

void add_edit(CLI::App& app, Context& context) {
  add_order(app, context,
            {Verb::edit, "change what a branch is called with", kEditDetails,
             "Change what this operation of {} is called with?", false});
}

}  // namespace belay::tool
