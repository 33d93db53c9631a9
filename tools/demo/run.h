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

namespace belay::demo {

inline std::uint64_t micros_since(std::chrono::steady_clock::time_point start) {
  const auto span = std::chrono::steady_clock::now() - start;
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(span).count());
}

// Where a demo's files are.
struct Files {
  std::string directory;
  bool servers = false;  // the banks are servers, and what the audit reads is a copy of their books

  std::string ports() const { return directory + "/bank-ports"; }
  std::string engine() const { return directory + "/belay.db"; }
  std::string bank(BankId bank) const {
    return directory + "/" + std::string(name_of(bank)) + (servers ? "-copy.db" : ".db");
  }
  std::string server(BankId bank) const {
    return directory + (bank == BankId::a ? "/postgresql" : "/mariadb");
  }
  // As belay/xa.h wants it.
  std::string conninfo(BankId bank) const {
    return bank == BankId::a ? "host=" + server(bank) + " user=belay dbname=postgres"
                             : "socket=" + server(bank) + "/socket user=root database=bank";
  }
};

struct RunSettings {
  Files files;
  std::string transfers;         // the file
  std::size_t first = SIZE_MAX;  // of its transfers
  Mode mode = Mode::saga;
  bool http = false;  // the banks are services in processes of their own
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
  std::function<void(const TransferAnswer&)> answered;  // once a transfer, on the engine's loop
  std::function<void()> tick;  // about twenty times a second, on the calling thread
};

Result<RunEnd> run_transfers(const RunSettings& settings, const std::vector<Transfer>& transfers,
                             const RunWatcher& watcher);

}  // namespace belay::demo
