// The custom data of a saga: whether its steps go at once, and which wait for which.
#pragma once

#include <string_view>

#include "belay/result.h"
#include "belay/saga.h"

namespace belay::protocol {

// Gives the saga, whose steps are there already, the order that `custom_data` asks for. What would
// never end is refused: a cycle, a step that is not there. Errors: invalid_argument.
Result<> apply_orders(std::string_view custom_data, Saga& saga);

}  // namespace belay::protocol
