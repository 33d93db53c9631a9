// A bank of the demo as an HTTP service, in a process of its own.
//
//   POST /debit?gid=…&branch_id=…&op=…  and the other services, as belay asks them: 200 done, 409
//                                       refused and why, 500 unclear
//   POST /pay?gid=…                     a message's own debit, asked for by its payer
#pragma once

#include <cstdint>

#include "belay/result.h"
#include "demo/run.h"

namespace belay::demo {

// The process's whole life, until its parent listens no more. Tells "port N", or "failed WHY".
Result<> run_http_bank(const Settings& settings, BankId id, std::uint16_t port);

}  // namespace belay::demo
