// Reads the custom data of a saga: whether its steps run at once, and which steps wait for which
// others.
#pragma once

#include <string_view>

#include "belay/result.h"
#include "belay/saga.h"

namespace belay::protocol {

// Gives a saga, which has its steps already, the order in `custom_data`. An order that would never
// end is refused: a cycle, or a step that does not exist. Errors: invalid_argument.
Result<> apply_orders(std::string_view custom_data, Saga& saga);

}  // namespace belay::protocol
