// The path of a request: first the gate, then the service, once it exists. What the gate denies is
// counted and logged.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>
#include <vector>

#include "serve/console.h"
#include "serve/denials.h"
#include "serve/gate.h"
#include "serve/http/server.h"
#include "serve/log.h"
#include "serve/protocol/service.h"

namespace belay::tool {

class Front {
 public:
  // What a page at / is: the console, or nothing.
  enum class Page : std::uint8_t { console, none };

  Front(Tokens tokens, const AllowedHosts& hosts, Page page, ServeLog& log)
      : gate_(std::move(tokens), hosts), page_(page), log_(log) {}

  http::Server::Handler handler();
  // For the probes of load balancers, which need no token; it answers 404 to all else. Every name
  // of the host is allowed: a probe may call the server by its address.
  http::Server::Handler probe_handler();
  // A request of dtm's service that another door brings: see Service::call.
  void call(protocol::Incoming incoming);
  void open(protocol::Service& service) { service_.store(&service, std::memory_order_release); }
  // From now on only questions are answered, and answers without an end are ended.
  void drain();
  // Returns the tokens that counted until now. All answers without an end are ended: a client whose
  // token still counts asks again.
  Tokens replace_tokens(Tokens tokens);
  std::vector<protocol::DeniedFigure> denied() const { return denials_.figures(); }

 private:
  void handle(const Gate& gate, http::Request request, http::Respond respond);
  void handle_page(const ConsoleFile& file, const http::Request& request, http::Respond respond);
  void note(const Refusal& refusal, std::string_view path);

  Gate gate_;
  Gate probe_gate_{{}};
  const Page page_;
  ServeLog& log_;
  Denials denials_;
  std::atomic<protocol::Service*> service_{nullptr};
};

}  // namespace belay::tool
