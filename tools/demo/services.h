// What a bank is asked for, by name: one list for all that serve a bank, and no name in two modes.
#pragma once

#include <array>
#include <string_view>

#include "demo/bank.h"

namespace belay::demo {

struct Service {
  std::string_view what;
  Side side{};
  Mode mode{};
};

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
    {"was_debited", Side::credit, Mode::msg},
}};

}  // namespace belay::demo
