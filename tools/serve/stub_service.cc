// Stands in for lib/web until that is there.
#include "web/service.h"

namespace belay::web {

class Service::Impl {
 public:
  Metrics metrics;
};

Service::Service(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Service::~Service() = default;
Result<std::unique_ptr<Service>> Service::make(Engine& engine, const std::string& db_path,
                                               const ServiceOptions& options) {
  (void)engine, (void)db_path, (void)options;
  return std::unique_ptr<Service>(new Service(std::make_unique<Impl>()));
}
Metrics& Service::metrics() { return impl_->metrics; }

void Service::handle(Request request, Respond respond) {
  Response response;
  if (request.path == "/api/ping")
    response.body = "{\"msg\":\"pong\"}";
  else if (request.path == "/metrics")
    response.body = impl_->metrics.render({}, {});
  else
    response.status = 404;
  respond(std::move(response));
}

}  // namespace belay::web
