// What an operator changes of a branch that its service cannot take, see Engine::edit.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "belay/types.h"

namespace belay {

struct Changes {
  // The handler or URL that is called for the operation.
  std::optional<std::string> target{};
  // The payload of all operations of the branch that are still to be called.
  std::optional<std::string> payload{};
  // Headers of the branch: each replaces those of the same name, whatever their case, also those of
  // the transaction, or is added.
  std::vector<Header> headers{};
  // The names of headers that are left out.
  std::vector<std::string> without_headers{};

  bool is_empty() const {
    return !target && !payload && headers.empty() && without_headers.empty();
  }
};

}  // namespace belay
