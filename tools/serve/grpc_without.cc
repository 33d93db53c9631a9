// Stands for serve/grpc in a build without gRPC.
#include "serve/grpc/door.h"

namespace belay::door {

class Door::Impl {};

Door::Door(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Door::~Door() = default;

bool is_built() { return false; }

Result<std::unique_ptr<Door>> Door::start(const http::ServerOptions&, Handler, Complain) {
  return Error{ErrorCode::unsupported, "this belay was built without gRPC"};
}

std::uint16_t Door::port() const { return 0; }
Door::Figures Door::figures() const { return {}; }
Result<> Door::replace_tls(const std::string&, const std::string&, const std::string&) {
  return {};
}
void Door::open() {}
void Door::quiesce() {}
void Door::stop() {}

}  // namespace belay::door
