// The commands with which an operator decides about transactions: stop, back, resolve and edit.
// They ask first, want a reason, and work on a server or on a file.
#pragma once

#include "belay/requests.h"
#include "command.h"

namespace belay::tool {

struct OrderWords {
  Verb verb{};
  const char* summary;
  const char* details;
  const char* question;  // "Stop {} for good? What has run stays as it is."
  bool ends;             // the transaction ends by this order: it is waited for
};

void add_order(CLI::App& app, Context& context, const OrderWords& words);

}  // namespace belay::tool
