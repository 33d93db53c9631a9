// Reports the state of the server to the service manager with systemd's datagrams. Without a
// service manager it does nothing.
#pragma once

#include <string_view>

namespace belay::tool {

// `state` is "READY=1", "STOPPING=1" or "STATUS=…". If it cannot be sent, it is lost.
void notify_manager(std::string_view state);

}  // namespace belay::tool
