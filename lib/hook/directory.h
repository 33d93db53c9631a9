// The port through which services are found by name. On the loop's thread, unless a comment says
// otherwise.
#pragma once

#include <string_view>

#include "belay/result.h"
#include "names/name.h"
#include "names/names.h"

namespace belay::hook {

class Directory {
 public:
  virtual ~Directory() = default;

  // See names::Names. From any thread.
  virtual Result<> check(std::string_view target) const = 0;
  // See names::Table. Neither a service nor a ticket: nothing can be looked up now.
  virtual names::LookUp look_up(const names::Name& name, names::Found found) = 0;
  virtual void forget(names::Ticket ticket) = 0;
};

}  // namespace belay::hook
