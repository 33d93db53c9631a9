// What gRPC and protobuf print by themselves: it goes to the program's log instead of stderr, and
// not more than a line in some seconds, since a stranger can cause it.
#pragma once

#include <functional>
#include <string_view>

namespace belay::door {

using Complain = std::function<void(std::string_view line)>;

// Empty: from now on nothing is told. Until the first call they print as they like.
void set_complain(Complain complain);

}  // namespace belay::door
