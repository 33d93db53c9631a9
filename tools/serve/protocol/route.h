// A route: which requests it takes, who may send them, and what carries them out.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "serve/http/message.h"
#include "serve/protocol/context.h"
#include "serve/protocol/open_requests.h"
#include "serve/protocol/role.h"

namespace belay::protocol {

struct Turn;

struct Route {
  std::string_view method;  // empty: any method
  // May have one segment in braces, "/topic/{topic}", which stands for any text.
  std::string_view path;
  std::string_view name;  // the name in the metrics and the log
  Role role;              // what a client must be allowed to do
  void (*handle)(Turn& turn);
};

// A request in progress, as a route sees it.
struct Turn {
  ContextPtr context;
  const Route& route;
  Caller caller;
  // Of the segment in braces, decoded; empty: it is not encoded as it must be, or there is none.
  std::optional<std::string> parameter;
  http::Request request;
  std::shared_ptr<OpenRequest> open_request;
  std::shared_ptr<OpenRequests> open_requests;

  http::Respond respond() const {
    return [to = open_request](http::Response response) { to->answer(std::move(response)); };
  }
};

// True if the route takes this path, whatever the method. A route without a segment in braces
// compares the decoded path; one with such a segment the path as it was sent, because the segment
// may have a slash in it.
bool takes_path(const Route& route, const http::Request& request);
inline bool takes_method(const Route& route, std::string_view method) {
  return route.method.empty() || route.method == method;
}
// Of a path that the route takes, what stands for the segment in braces.
std::optional<std::string> parameter_of(const Route& route, const http::Request& request);

// The route for a request; null: there is none.
const Route* find_route(const http::Request& request);

}  // namespace belay::protocol
