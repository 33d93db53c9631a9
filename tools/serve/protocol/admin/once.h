// Carries a request with an idempotency key out once.
#pragma once

#include "serve/protocol/route.h"

namespace belay::protocol::admin {

using Handler = void (*)(const Turn& turn, const http::Respond& respond);

// Calls `handler`, unless the request's key says that it was called before.
void handle_once(const Turn& turn, Handler handler);

}  // namespace belay::protocol::admin
