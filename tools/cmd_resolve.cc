// `belay resolve`: says how an operation ended whose answer never came.
#include <CLI/CLI.hpp>

#include "orders.h"

namespace belay::tool {
namespace {

constexpr const char* kResolveDetails = R"(
You know how the operation ended that a branch waits for, although its answer never came:
the service is gone, or answers what it must not. The transaction goes on as if the branch
had answered so. With success of a compensation, see first that its action is undone:
belay cannot check it. failure is for operations that may refuse: an action of a saga, a
try, a prepare, a back-check; a saga then turns back. BRANCH and OP are the
branch's id and the operation that it waits for, as `belay why GID` shows them; if it waits
for another one by now, nothing is done. While a call of the branch is out nothing can be
said about it; with --db the command waits for that call, for 10 seconds.

The reason, the ticket, and who gave them, are kept in the timeline. On a terminal the
command asks first, elsewhere it needs --yes. With --server it is for what a running
`belay serve` has; with --db for what the program has that has the file open. If none
has, the command changes the file itself and calls nothing. Exit code 0: it is decided;
3: there is no such transaction; 4: there is no such branch, it waits for no answer of that
operation, or the operation cannot fail; 5: the engine does not answer, or the branch is
being called.

Example:
  belay resolve order-42 02 action --as success --db orders.db --reason "paid, see the bank's log"
)";

}  // namespace

void add_resolve(CLI::App& app, Context& context) {
  static constexpr OrderWords kWords = {
      Verb::resolve, "say how an operation ended", kResolveDetails,
      "Say of {} that this operation ended so? belay cannot check it.", false};
  add_order(app, context, kWords);
}

}  // namespace belay::tool
