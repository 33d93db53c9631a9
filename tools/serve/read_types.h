// Reads the descriptor set that an operator named with --proto.
#pragma once

#include <string>

#include "belay/result.h"
#include "payload/message_types.h"

namespace belay::tool {

// Errors, which name the option: those of read_file and of MessageTypes::make.
Result<MessageTypes> read_types(const std::string& path);

}  // namespace belay::tool
