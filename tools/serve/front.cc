#include "serve/front.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "serve/protocol/api_result.h"

namespace belay::tool {
namespace {

constexpr std::size_t kPathBytesShown = 200;
constexpr const char* kStarting = "the server is starting";

}  // namespace

http::Server::Handler Front::handler() {
  return [this](http::Request request, http::Respond respond) {
    const auto* file = page_ == Page::console ? find_console_file(request) : nullptr;
    if (file != nullptr) return handle_page(*file, request, std::move(respond));
    handle(gate_, std::move(request), std::move(respond));
  };
}

void Front::drain() {
  gate_.drain();
  probe_gate_.drain();
  if (auto* service = service_.load(std::memory_order_acquire)) service->close_streams();
}

Tokens Front::replace_tokens(Tokens tokens) {
  auto before = gate_.replace_tokens(std::move(tokens));
  if (auto* service = service_.load(std::memory_order_acquire)) service->end_streams();
  return before;
}

http::Server::Handler Front::probe_handler() {
  return [this](http::Request request, http::Respond respond) {
    if (protocol::role_needed(request) != protocol::Role::anybody ||
        protocol::is_for_admin_api(request))
      return respond(protocol::plain_text(404, "404 page not found"));
    handle(probe_gate_, std::move(request), std::move(respond));
  };
}

void Front::handle(const Gate& gate, http::Request request, http::Respond respond) {
  auto judged = gate.judge(request);
  if (judged.refusal) {
    note(*judged.refusal, request.path);
    return protocol::in_form(request, respond)(protocol::to_response(judged.refusal->answer));
  }
  if (auto* service = service_.load(std::memory_order_acquire)) {
    service->handle(std::move(request), std::move(respond), std::move(judged.caller));
    // It was let in by tokens that have been replaced since: it may have opened a stream too late.
    if (judged.replaced != gate.replaced()) service->end_streams();
    return;
  }
  protocol::in_form(request, respond)(protocol::refusal(503, kStarting));
}

void Front::handle_page(const ConsoleFile& file, const http::Request& request,
                        http::Respond respond) {
  auto judged = gate_.judge_page(request);
  if (!judged.refusal) return respond(console_response(request, file));
  note(*judged.refusal, request.path);
  respond(protocol::to_response(judged.refusal->answer));
}

void Front::call(protocol::Incoming incoming) {
  const auto& method = incoming.method;
  auto judged = gate_.judge(Question{method.role, method.only_asks, incoming.authorization});
  if (judged.refusal) {
    note(*judged.refusal, method.name);
    return incoming.done(std::move(judged.refusal->answer));
  }
  auto* service = service_.load(std::memory_order_acquire);
  if (service == nullptr) return incoming.done(protocol::ApiResult::overload(kStarting));
  service->call(method, incoming.bytes, std::move(incoming.read), std::move(incoming.done),
                {method.metric, std::move(judged.caller.name), std::move(incoming.peer)});
}

void Front::note(const Refusal& refusal, std::string_view path) {
  if (!refusal.denial) return;
  const auto left_out = denials_.add(*refusal.denial, Denials::Clock::now());
  if (!left_out) return;
  const auto more = *left_out == 0 ? "" : fmt::format(", and {} before it", *left_out);
  log_.warning("a request was denied" + more,
               {{"status", std::to_string(protocol::http_status(refusal.answer.kind))},
                {"reason", name_of(*refusal.denial)},
                {"token", refusal.caller},
                {"path", std::string(path.substr(0, kPathBytesShown))}});
}

}  // namespace belay::tool
