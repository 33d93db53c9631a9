// `belay stop`: ends transactions that cannot be brought to an end otherwise.
#include "orders.h"

namespace belay::tool {
namespace {

constexpr const char* kStopDetails = R"(
The last resort. No call is made any more for the transactions, and they end as failed,
whatever their branches have done: what has run stays as it is, and nothing is undone.
A call that is out is waited for. `belay show GID` tells what has run; repair it by hand.
The reason, the ticket, and who gave them, are kept with the transaction. On a terminal
the command asks first, elsewhere it needs --yes.

With --server it stops what a running `belay serve` has; with --db what the program has
that has the file open, which may be any that embeds belay. If none has, the command
changes the file itself and calls nothing. Exit code 0: all are stopped; 1: some are not;
3: one is unknown; 4: one is final already; 5: the engine does not answer.

Examples:
  belay stop order-42 --db orders.db --reason "refunded by hand" --ticket T-1234
  belay stop --all-stuck --handler bank.pay --db orders.db --yes --reason "bank closed"
)";

}  // namespace

void add_stop(CLI::App& app, Context& context) {
  add_order(app, context,
            {Verb::stop, "end transactions for good, as failed", kStopDetails,
             "Stop {} for good? What has run stays as it is.", true});
}

}  // namespace belay::tool
