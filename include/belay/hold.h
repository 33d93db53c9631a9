// A target that an operator holds: it is not called until it is released.
#pragma once

#include <string>

#include "belay/types.h"

namespace belay {

struct Hold {
  // A handler's name or a URL; or a host, "https://stock.example:8443": all URLs there.
  std::string target;
  std::string reason;
  std::string asked_by;  // "alice on gateway-1"
  TimePoint at{};        // set by the engine
};

}  // namespace belay
