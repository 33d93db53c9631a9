// The file of transfers: what a row says, and which rows cannot be meant. The format stands in
// tools/examples/README.md.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "belay/msg.h"
#include "belay/result.h"
#include "belay/saga.h"
#include "belay/tcc.h"
#include "demo/bank.h"
#include "demo/services.h"

namespace belay::demo {

struct Place {
  BankId bank{};
  std::int64_t account = 0;
};

struct Transfer {
  std::string id;
  Place from;
  Place to;
  std::int64_t cents = 0;
  std::string memo;
};

struct BadRow {
  std::size_t line = 0;
  std::string problem;
};

struct TransferFile {
  std::vector<Transfer> transfers;
  std::vector<BadRow> bad_rows;  // the first of them
  std::size_t bad_count = 0;     // all
  std::size_t left_out = 0;      // fine ones that are not to be run
};

constexpr std::size_t kBadRowsKept = 10;

// Never fails: what cannot be read is a bad row.
TransferFile parse_transfers(std::string_view text);
// Errors: not_found, invalid_argument (a directory, too large, no text at all), each naming the
// file.
Result<TransferFile> read_transfers(const std::string& path);

// The row's own name, so that a file that is handed in again runs nothing twice.
std::string gid_of(const Transfer& transfer);
// What a transfer is in each mode. Debit first, so that what is to be given is there.
//
// "bank-x.debit" and "bank-y.credit", each with its "undo_…".
Saga saga_of(const Transfer& transfer, const Doors& doors = {});
// "bank-x.try_debit" and "bank-y.try_credit", each with "confirm_…" and "cancel_…".
Tcc tcc_of(const Transfer& transfer, const Doors& doors = {});
// "bank-y.receive", once bank x has debited by itself; its back-check is "bank-x.was_debited".
Msg msg_of(const Transfer& transfer, const Doors& doors = {});
// That debit: no call of the engine's.
Leg own_debit_of(const Transfer& transfer);

}  // namespace belay::demo
