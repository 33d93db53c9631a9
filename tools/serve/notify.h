// Tells the service manager how the server is doing, by systemd's datagrams; without one: nobody.
#pragma once

#include <string_view>

namespace belay::tool {

// "READY=1", "STOPPING=1", "STATUS=…". What cannot be sent is lost.
void notify_manager(std::string_view state);

}  // namespace belay::tool
