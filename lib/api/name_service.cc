#include "api/name_service.h"

#include <utility>

#include "ask/http_asker.h"

namespace belay::api {

class NameService::Asker {
 public:
  std::unique_ptr<ask::HttpAsker> http;
};

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

void NameService::start(uv_loop_s* loop, Post post) {
  loop_ = loop;
  post_ = std::move(post);
}

bool NameService::begin() {
  if (has_begun_) return true;
  auto asker = ask::HttpAsker::make(hooks_);
  if (!asker || !(*asker)->start(loop_)) return false;
  asker_ = std::make_unique<Asker>();
  asker_->http = std::move(*asker);
  has_begun_ = names_->start(loop_, *asker_->http, post_).has_value();
  return has_begun_;
}

names::LookUp NameService::look_up(const names::Name& name, names::Found found) {
  if (!begin()) return {};
  return names_->look_up(name, std::move(found));
}

void NameService::forget(names::Ticket ticket) {
  if (has_begun_) names_->forget(ticket);
}

std::vector<NameFigures> NameService::figures() const {
  return has_begun_ ? names_->figures() : std::vector<NameFigures>{};
}

void NameService::close(std::function<void()> closed) {
  if (!has_begun_) return closed();
  names_->close([this, closed = std::move(closed)] { asker_->http->close(closed); });
}

}  // namespace belay::api
