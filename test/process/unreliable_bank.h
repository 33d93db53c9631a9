// A bank of the kill test behind one kind of handler, with which at times trips, loses the
// answer or is still counting.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "belay/engine.h"
#include "demo/bank.h"
#include "demo/calls.h"

namespace belay::test {

// Thread-safe. One call at a time; the engine's loop waits for the one of kind "loop", which no
// service should let it do, and which makes calls and commits meet in ways they otherwise would
// not.
class UnreliableBank {
 public:
  UnreliableBank(demo::Bank bank, std::uint64_t seed) : bank_(std::move(bank)), seed_(seed) {}

  // Registers the services of the bank of this kind, an index of kKillBanks. Must outlive the
  // engine's calls.
  Result<> serve(Engine& engine, std::size_t kind);

  // The payer's own transaction of a message, with the barrier's row: no call of the engine's.
  Outcome debit(const demo::Leg& leg);

 private:
  struct ServiceContext {
    UnreliableBank* bank = nullptr;
    const demo::Service* service = nullptr;
  };

  static Outcome answer(const Call& call, void* context);
  static void answer_later(const Call& call, Reply reply, void* context);

  std::mutex mutex_;
  demo::Bank bank_;
  std::uint64_t seed_;
  std::array<ServiceContext, demo::kServices.size()> contexts_;
};

}  // namespace belay::test
