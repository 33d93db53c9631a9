// The same functions for a library that looks no names up.
#include <utility>

#include "api/name_service.h"

namespace belay::api {

class NameService::Asker {};

NameService::NameService(const Options& options)
    : log_(options.log, options.log_user, options.log_level), hooks_(options.hooks) {}
NameService::~NameService() = default;

Result<std::unique_ptr<NameService>> NameService::make(const Options& options) {
  std::unique_ptr<NameService> made(new NameService(options));
  auto names = names::Names::make(options.hooks.resolvers, options.hooks.registries, made->log_);
  if (!names) return names.error();
  made->names_ = std::move(*names);
  return made;
}

void NameService::start(uv_loop_s*, Post) {}
names::LookUp NameService::look_up(const names::Name&, names::Found) { return {}; }
void NameService::forget(names::Ticket) {}
std::vector<NameFigures> NameService::figures() const { return {}; }
void NameService::close(std::function<void()> closed) { closed(); }

}  // namespace belay::api
