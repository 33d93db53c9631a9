// The two servers of mode xa: PostgreSQL is bank a, MariaDB is bank b, both in the demo's directory
// and with their tables there. They live as long as this object, or as this process.
#pragma once

#include <memory>

#include "belay/result.h"
#include "demo/run.h"

namespace belay::demo {

class XaServers {
 public:
  XaServers() = default;
  XaServers(const XaServers&) = delete;
  XaServers& operator=(const XaServers&) = delete;
  virtual ~XaServers() = default;

  // Starts them, on the data of an earlier run if there is some, and founds the banks. Blocks for
  // some seconds. Errors: unsupported (says what to install), storage, invalid_argument.
  static Result<std::unique_ptr<XaServers>> start(const Settings& settings);

  // Copies accounts, postings and barriers to where the audit reads, `Files::bank`.
  virtual Result<> copy_books() = 0;
  // How many prepared transactions there are in both servers.
  virtual Result<std::size_t> prepared() = 0;
};

}  // namespace belay::demo
