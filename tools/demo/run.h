// One run of the engine over all transfers, in this process: opens the banks and the engine, hands
// every transfer in and waits for its end. May be killed at any moment and run again on the same
// files.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "belay/result.h"
#include "demo/results.h"
#include "demo/transfers.h"

namespace belay::demo {

// Where a demo's files are.
struct Files {
  std::string directory;
  std::string engine() const { return directory + "/belay.db"; }
  std::string bank(BankId bank) const {
    return directory + "/" + std::string(name_of(bank)) + ".db";
  }
};

struct Settings {
  Files files;
  std::string transfers;  // the file
  Mode mode = Mode::saga;
  std::int64_t accounts = 2'000;
  std::size_t in_flight = 256;
  std::chrono::seconds patience{30};  // gives up when nothing became final for that long
};

struct RunStart {
  std::uint64_t open_micros = 0;  // recovery included
  std::uint64_t recovered = 0;    // unfinished transfers found in the file
};

struct RunEnd {
  std::uint64_t run_micros = 0;  // from the start to the last answer
  std::uint64_t stuck = 0;
  bool gave_up = false;
};

struct RunWatcher {
  std::function<void(const RunStart&)> started;
  std::function<void(const Answer&)> answered;  // once a transfer, on the engine's loop
  std::function<void()> tick;  // about twenty times a second, on the calling thread
};

Result<RunEnd> run_transfers(const Settings& settings, const std::vector<Transfer>& transfers,
                             const RunWatcher& watcher);

}  // namespace belay::demo
