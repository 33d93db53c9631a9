#include "serve/protocol/service.h"

#include <memory>
#include <utility>

#include "serve/protocol/admin/answer.h"
#include "serve/protocol/admin/routes.h"
#include "serve/protocol/body_queue.h"
#include "serve/protocol/context.h"
#include "serve/protocol/open_requests.h"
#include "serve/protocol/route.h"

namespace belay::protocol {
namespace {

constexpr Millis kReadsLook{1'000};
constexpr std::size_t kLargeBodyBytes = 64 * 1024;  // parsed in a millisecond or two

// A GET with a slash too many at its end is redirected to the route without it; everything else is
// not found.
http::Response no_route(const http::Request& request) {
  if (admin::owns(request)) return admin::no_route(request);
  std::string_view path = request.path;
  const bool has_slash = path.size() > 1 && path.ends_with('/');
  if (has_slash) path.remove_suffix(1);
  http::Request shorter{"GET", std::string(path), {}, {}, {}};
  const bool is_route = has_slash && find_route(shorter) != nullptr;
  if (request.method != "GET" || !is_route) return plain_text(404, "404 page not found");
  http::Response response;
  response.status = 301;
  response.content_type = "text/html; charset=utf-8";
  response.headers.emplace_back("Location", std::string(path));
  return response;
}

ApiResult too_many_bodies() {
  return ApiResult::overload("too many large bodies are waiting; try again later");
}

}  // namespace

Role role_needed(const http::Request& request) {
  const auto* route = find_route(request);
  return route == nullptr ? Role::metrics : route->role;
}

bool is_for_admin_api(const http::Request& request) { return admin::owns(request); }

http::Respond in_form(const http::Request& request, http::Respond respond) {
  return admin::owns(request) ? admin::in_form(std::move(respond)) : respond;
}

class Service::Impl {
 public:
  Impl(Engine& engine, const ServiceOptions& options)
      : context_(std::make_shared<Context>(engine, options)),
        open_requests_(std::make_shared<OpenRequests>()),
        bodies_(options.large_bodies_bytes_max) {}
  ~Impl() {
    close_streams();
    context_->deadlines.stop();
    bodies_.stop();
    if (context_->reads) context_->reads->stop();
    open_requests_->end_all();
  }

  Result<> open(const std::string& path) {
    BELAY_TRY(context_->deadlines.start());
    auto reads =
        ReadPool::make(path, context_->options.read_threads, context_->options.reads_queued_max);
    if (!reads) return reads.error();
    context_->reads = std::move(*reads);
    BELAY_TRY(bodies_.start());
    look_after_reads(context_);
    sample(context_, open_requests_);
    return {};
  }

  void handle(http::Request request, http::Respond respond, Caller caller) {
    const auto* route = find_route(request);
    const auto name = route == nullptr ? std::string_view("none") : route->name;
    respond = in_form(request, std::move(respond));
    auto open_request = open_requests_->begin(name, std::move(respond));
    if (route == nullptr) return open_request->answer(no_route(request));
    auto parameter = parameter_of(*route, request);
    Turn turn{context_,           *route,
              std::move(caller),  std::move(parameter),
              std::move(request), std::move(open_request),
              open_requests_};
    // A question is answered at once: its body is not read.
    const bool has_body = turn.request.method != "GET";
    if (has_body && turn.request.body.size() > kLargeBodyBytes)
      return handle_later(std::move(turn));
    route->handle(turn);
  }

  void call(const DtmMethod& method, std::size_t bytes, std::function<Result<DtmCall>()> read,
            Done done, const Sender& sender) {
    const auto open_request = open_requests_->begin(method.metric, std::move(done));
    auto work = [context = context_, &method, open_request, read = std::move(read), sender] {
      auto call = read();
      if (!call) return open_request->answer(ApiResult::of(call.error()));
      method.handle(context, *call, sender,
                    [open_request](ApiResult answer) { open_request->answer(std::move(answer)); });
    };
    if (bytes <= kLargeBodyBytes) return work();
    if (!bodies_.post(bytes, std::move(work))) open_request->answer(too_many_bodies());
  }

  void end_streams() { context_->events.end_all(); }
  void close_streams() { context_->events.close(); }
  Metrics& metrics() { return open_requests_->metrics(); }

 private:
  static void look_after_reads(const ContextPtr& context) {
    context->deadlines.after(kReadsLook, [context] {
      look_after_reads(context);
      context->reads->drop_late();
    });
  }

  static void sample(const ContextPtr& context, const std::shared_ptr<OpenRequests>& requests) {
    context->deadlines.after(admin::History::kInterval,
                             [context, requests] { sample(context, requests); });
    context->history.sample(context->engine.counters(), requests->metrics());
  }

  void handle_later(Turn turn) {
    const auto bytes = turn.request.body.size();
    const auto shared = std::make_shared<Turn>(std::move(turn));
    if (bodies_.post(bytes, [shared] { shared->route.handle(*shared); })) return;
    shared->open_request->answer(too_many_bodies());
  }

  const ContextPtr context_;
  const std::shared_ptr<OpenRequests> open_requests_;
  BodyQueue bodies_;
};

Service::Service(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Service::~Service() = default;

Result<std::unique_ptr<Service>> Service::make(Engine& engine, const std::string& db_path,
                                               const ServiceOptions& options) {
  auto impl = std::make_unique<Impl>(engine, options);
  BELAY_TRY(impl->open(db_path));
  return std::unique_ptr<Service>(new Service(std::move(impl)));
}

void Service::handle(http::Request request, http::Respond respond, Caller caller) {
  impl_->handle(std::move(request), std::move(respond), std::move(caller));
}

void Service::call(const DtmMethod& method, std::size_t bytes,
                   std::function<Result<DtmCall>()> read, Done done, const Sender& sender) {
  impl_->call(method, bytes, std::move(read), std::move(done), sender);
}

void Service::end_streams() { impl_->end_streams(); }
void Service::close_streams() { impl_->close_streams(); }

Metrics& Service::metrics() { return impl_->metrics(); }

}  // namespace belay::protocol
