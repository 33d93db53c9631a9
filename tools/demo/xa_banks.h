// The banks of mode xa: PostgreSQL is bank a, MariaDB is bank b. Their servers, and the branches
// that prepare in them.
#pragma once

#include <memory>

#include "demo/banks.h"

namespace belay::demo {

// The two servers, in the demo's directory, with the banks' tables. They live as long as this
// object, or as this process.
class XaServers {
 public:
  XaServers() = default;
  XaServers(const XaServers&) = delete;
  XaServers& operator=(const XaServers&) = delete;
  virtual ~XaServers() = default;

  // Starts them, on the data of an earlier run if there is some, and founds the banks. Blocks for
  // some seconds. Errors: unsupported (says what to install), storage, invalid_argument.
  static Result<std::unique_ptr<XaServers>> start(const RunSettings& settings);

  // Copies accounts, postings and barriers to where the audit reads, `Files::bank`.
  virtual Result<> copy_books() = 0;
  // How many prepared transactions there are in both servers.
  virtual Result<std::size_t> prepared() = 0;
};

// What the engine sees of servers that run.
Result<std::unique_ptr<Banks>> open_xa_banks(const RunSettings& settings);

}  // namespace belay::demo
