// What the banks are asked for, and where: each transfer as a transaction of a mode, and each call
// of it as a bank reads it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "belay/call.h"
#include "belay/msg.h"
#include "belay/saga.h"
#include "belay/tcc.h"
#include "demo/bank.h"
#include "demo/transfers.h"

namespace belay::demo {

// One list for all that serve a bank, and no name in two modes.
struct Service {
  std::string_view name;
  Side side{};
  Mode mode{};
};
inline constexpr std::string_view kBackCheck = "was_debited";
inline constexpr std::array<Service, 12> kServices = {{
    {"debit", Side::debit, Mode::saga},
    {"undo_debit", Side::debit, Mode::saga},
    {"credit", Side::credit, Mode::saga},
    {"undo_credit", Side::credit, Mode::saga},
    {"try_debit", Side::debit, Mode::tcc},
    {"confirm_debit", Side::debit, Mode::tcc},
    {"cancel_debit", Side::debit, Mode::tcc},
    {"try_credit", Side::credit, Mode::tcc},
    {"confirm_credit", Side::credit, Mode::tcc},
    {"cancel_credit", Side::credit, Mode::tcc},
    {"receive", Side::credit, Mode::msg},
    {kBackCheck, Side::credit, Mode::msg},
}};

// Where the services are: what stands before their names. By default handlers of the engine's own
// process, "bank-a.debit"; else URLs, "http://127.0.0.1:4711/debit".
struct Addresses {
  std::array<std::string, kBanks> prefixes{std::string(name_of(BankId::a)) + ".",
                                           std::string(name_of(BankId::b)) + "."};
  std::string of(BankId bank, std::string_view service) const {
    return prefixes[index_of(bank)] + std::string(service);
  }
};

// Debit first, so that what is to be given is there.
//
// "debit" and "credit", each with its "undo_…".
Saga saga_of(const Transfer& transfer, const Addresses& addresses = {});
// "try_debit" and "try_credit", each with "confirm_…" and "cancel_…".
Tcc tcc_of(const Transfer& transfer, const Addresses& addresses = {});
// "receive", once the payer's bank has debited by itself; its back-check is "was_debited".
Msg msg_of(const Transfer& transfer, const Addresses& addresses = {});
// That debit: no call of the engine's.
Leg own_debit_of(const Transfer& transfer);

// What a call carries: {"account":42,"cents":1250}.
std::string payload_of(std::int64_t account, std::int64_t cents);
// A payload that is none has account 0, which no bank knows.
Leg leg_of(const Call& call, Side side, Mode mode);

}  // namespace belay::demo
