// The banks of mode xa, as the engine sees them: branches that prepare in PostgreSQL and MariaDB.
#pragma once

#include <memory>

#include "demo/banks.h"

namespace belay::demo {

// The servers are started already.
Result<std::unique_ptr<Banks>> open_xa_banks(const Settings& settings);

}  // namespace belay::demo
