// The same functions for a library that was built without libcurl or c-ares: a name is recognized
// and refused.
#include "names/names.h"
#include "names/own_check.h"

namespace belay::names {

class Names::Impl {};

Names::Names(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Names::~Names() = default;

Result<std::unique_ptr<Names>> Names::make(Resolvers resolvers, const Aliases& aliases,
                                           const base::Log&) {
  BELAY_TRY(check_own(resolvers, aliases));
  return std::unique_ptr<Names>(new Names(nullptr));
}

Result<> Names::check(std::string_view target) const {
  return Error{ErrorCode::unsupported, "'" + std::string(target.substr(0, target.find("://"))) +
                                           "://…' names a service, and this belay was built "
                                           "without libcurl or c-ares, which look it up"};
}

Result<> Names::start(uv_loop_s*, Http&, std::function<void(std::function<void()>)>) { return {}; }
LookUp Names::look_up(const Name&, Found) { return {}; }
void Names::forget(Ticket) {}
std::vector<NameFigures> Names::figures() const { return {}; }
void Names::close(std::function<void()> closed) { closed(); }

}  // namespace belay::names
