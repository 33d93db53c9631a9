// What the demo's command line says.
#pragma once

#include <CLI/CLI.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>

#include "demo/run.h"

namespace belay::demo {

struct Options {
  Settings settings;
  std::optional<std::size_t> in_flight;
  std::optional<std::size_t> first;
  std::int64_t patience_seconds = 30;
  unsigned kill_percent = 0;  // 0: not at all
  bool worker = false;
  std::optional<BankId> bank;  // this process is that bank
  std::uint16_t port = 0;
};

void add_options(CLI::App* command, Options& options);
// What was not given depends on the mode.
void complete(Options& options);

}  // namespace belay::demo
