// What a transaction of the kill test is, told by its gid alone: the driver submits it, the test
// knows what must have come of it, and neither keeps a list that a kill could tear.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "demo/bank.h"
#include "support/random.h"

namespace belay::test {

// Three banks, one for each kind of handler.
constexpr std::array<std::string_view, 3> kKillBanks = {"async", "blocking", "loop"};
constexpr std::int64_t kKillAccounts = 50;

struct KillLeg {
  std::size_t bank = 0;
  demo::Side side{};
  std::int64_t account = 0;
  std::int64_t cents = 0;
};

// A declared saga; a declared tcc; a tcc whose branches its caller registers one after the other;
// and a message, which the payer's own transaction comes before.
enum class KillMode : std::uint8_t { saga, tcc, driven, msg };
constexpr std::array<std::string_view, 4> kKillModes = {"saga", "tcc", "driven tcc", "msg"};
constexpr std::string_view name_of(KillMode mode) {
  return kKillModes[static_cast<std::size_t>(mode)];
}

enum class KillShape : std::uint8_t { sequence, concurrent, graph };

// What the caller of a driven tcc or a message means to say in the end. Of those who say nothing,
// one who is early walks off before a message's debit.
enum class KillWord : std::uint8_t { submit, abort, none };

struct KillPlan {
  std::vector<KillLeg> legs;  // the first pays, the others get
  KillMode mode{};
  KillShape shape{};
  KillWord word{};
  bool early = false;
  bool hurried = false;  // has so little time that many turn back
  bool waits = false;    // its caller hears the end
  bool silent = false;   // its first submit is not told of; the next run hands it in again
};

inline std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 14695981039346656037u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return hash;
}

inline std::string kill_gid(unsigned run, unsigned number) {
  return "kill-" + std::to_string(run) + "-" + std::to_string(number);
}

inline std::string kill_service(std::size_t bank, const std::string& what) {
  return std::string(kKillBanks[bank]) + "." + what;
}

// A message's debit, the first leg, is its caller's own, and no branch.
inline std::string kill_branch_id(KillMode mode, std::size_t leg) {
  return "0" + std::to_string(mode == KillMode::msg ? leg : leg + 1);
}

inline KillPlan kill_plan(std::string_view gid, std::uint64_t seed) {
  Random random(seed ^ hash_of(gid));
  KillPlan plan;
  plan.mode = static_cast<KillMode>(random.below(kKillModes.size()));
  plan.shape = static_cast<KillShape>(random.below(3));
  const auto word = random.below(100);
  plan.word = word < 70 ? KillWord::submit : word < 85 ? KillWord::abort : KillWord::none;
  plan.early = random.percent(50);
  plan.hurried = random.percent(5);
  plan.waits = random.percent(25);
  plan.silent = random.percent(10);
  const auto getters = random.between(1, 3);
  const auto any_account = [&random] {
    return static_cast<std::int64_t>(random.between(1, kKillAccounts + 1));  // one is unknown
  };
  plan.legs.push_back({random.below(kKillBanks.size()), demo::Side::debit, any_account(), 0});
  for (std::uint64_t i = 0; i < getters; ++i) {
    const auto cents = static_cast<std::int64_t>(random.between(1, 60'000));
    plan.legs.push_back(
        {random.below(kKillBanks.size()), demo::Side::credit, any_account(), cents});
    plan.legs[0].cents += cents;
  }
  return plan;
}

}  // namespace belay::test
