// Asks a person before something is done that cannot be taken back.
#pragma once

#include <string_view>

#include "command.h"

namespace belay::tool {

// False: nobody can be asked, since stdin is no terminal.
bool can_ask();
// Prints the question to stderr; true if the answer is yes.
bool is_agreed(Context& context, std::string_view question);

}  // namespace belay::tool
