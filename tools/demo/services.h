// What a bank is asked for, by name: one list for all that serve a bank, and no name in two modes.
// And where it is asked: a handler's name in the engine's own process, or a URL.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "demo/bank.h"

namespace belay::demo {

struct Service {
  std::string_view what;
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

using Ports = std::array<std::uint16_t, kBanks>;

class Doors {
 public:
  Doors() : doors_{std::string(name_of(BankId::a)) + ".", std::string(name_of(BankId::b)) + "."} {}
  explicit Doors(const Ports& ports) {
    for (std::size_t i = 0; i < kBanks; ++i) {
      doors_[i] = "http://127.0.0.1:" + std::to_string(ports[i]) + "/";
    }
  }

  // "bank-a.debit", "http://127.0.0.1:4711/debit"
  std::string to(BankId bank, std::string_view what) const {
    return doors_[static_cast<std::size_t>(bank)] + std::string(what);
  }

 private:
  std::array<std::string, kBanks> doors_;
};

}  // namespace belay::demo
