// Reads bytes as a client's message of gRPC's door, and says what is wrong with how it was read.
#pragma once

#include <string>
#include <string_view>

namespace belay::test {

// The first byte names the method, the rest is the message. Empty: all is well. `was_read`: it was
// understood.
std::string check_message(std::string_view input, bool& was_read);

}  // namespace belay::test
