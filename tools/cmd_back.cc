// `belay back`: lets transactions turn back, so that what they have done is undone.
#include "orders.h"

namespace belay::tool {
namespace {

constexpr const char* kBackDetails = R"(
The transactions go forward no more: every branch that may have run is undone, as after a
refusal. It is for sagas that are under way, and for prepared ones of every mode but
workflow. What is decided to go through (a tcc or xa that commits, a message that was
submitted) cannot turn back. The reason, the ticket, and who gave them, are kept with the
transaction. On a terminal the command asks first, elsewhere it needs --yes.

A line is printed for each as soon as the decision is on disk: gid, status, reason; follow
the rest with `belay watch`. With --server it is for what a running `belay serve` has; with
--db for what the program has that has the file open. If none has, the command changes the
file itself and calls nothing: the next engine undoes. Exit code 0: all turn back; 3: one
is unknown; 4: one cannot turn back; 5: the engine does not answer.

Examples:
  belay back order-42 --db orders.db --reason "customer cancelled" --ticket T-1234
  belay back --all-stuck --host http://stock.example --db orders.db --yes --reason "recall"
)";

}  // namespace

void add_back(CLI::App& app, Context& context) {
  add_order(app, context,
            {Verb::back, "let transactions turn back, and undo what has run", kBackDetails,
             "Turn back {}, and undo what has run?", false});
}

}  // namespace belay::tool
