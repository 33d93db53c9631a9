#include "demo/calls.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace belay::demo {
namespace {

constexpr Millis kBackCheckAfter{5'000};  // soon, for a demo; much later than a debit takes

}  // namespace

Saga saga_of(const Transfer& transfer, const Addresses& addresses) {
  const auto& [id, from, to, cents, memo] = transfer;
  Saga saga(gid_of(transfer));
  saga.step(addresses.of(from.bank, "debit"), addresses.of(from.bank, "undo_debit"),
            payload_of(from.account, cents));
  saga.step(addresses.of(to.bank, "credit"), addresses.of(to.bank, "undo_credit"),
            payload_of(to.account, cents));
  return saga.custom_data(memo);
}

// In order, so that a transfer that both banks would refuse is always refused for the same reason.
Tcc tcc_of(const Transfer& transfer, const Addresses& addresses) {
  const auto& [id, from, to, cents, memo] = transfer;
  Tcc tcc(gid_of(transfer));
  tcc.branch(addresses.of(from.bank, "try_debit"), addresses.of(from.bank, "confirm_debit"),
             addresses.of(from.bank, "cancel_debit"), payload_of(from.account, cents));
  tcc.branch(addresses.of(to.bank, "try_credit"), addresses.of(to.bank, "confirm_credit"),
             addresses.of(to.bank, "cancel_credit"), payload_of(to.account, cents));
  return tcc.in_order().custom_data(memo);
}

Msg msg_of(const Transfer& transfer, const Addresses& addresses) {
  const auto& [id, from, to, cents, memo] = transfer;
  Msg msg(gid_of(transfer));
  msg.to(addresses.of(to.bank, "receive"), payload_of(to.account, cents));
  msg.query(addresses.of(from.bank, kBackCheck));
  return msg.timeout_to_fail(kBackCheckAfter).custom_data(memo);
}

Leg own_debit_of(const Transfer& transfer) {
  return {gid_of(transfer),      std::string(kOwnBranch), Op::action, Side::debit,
          transfer.from.account, transfer.cents,          Mode::msg};
}

std::string payload_of(std::int64_t account, std::int64_t cents) {
  return fmt::format(R"({{"account":{},"cents":{}}})", account, cents);
}

Leg leg_of(const Call& call, Side side, Mode mode) {
  const auto json = nlohmann::json::parse(call.payload, nullptr, false);
  const auto field = [&json](const char* name) {
    const bool there = json.is_object() && json.contains(name) && json[name].is_number_integer();
    return there ? json[name].get<std::int64_t>() : 0;
  };
  return {std::string(call.gid),
          std::string(call.branch_id),
          call.op,
          side,
          field("account"),
          field("cents"),
          mode};
}

}  // namespace belay::demo
