// The routes of the admin API.
#pragma once

#include <span>

#include "serve/protocol/route.h"

namespace belay::protocol::admin {

std::span<const Route> routes();
// True if the request is for this API, whether or not there is such a route.
bool owns(const http::Request& request);
// The answer if there is no route: 404, or 405 with the methods that the path takes.
http::Response no_route(const http::Request& request);

}  // namespace belay::protocol::admin
