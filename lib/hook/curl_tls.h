// TLS of a request by libcurl: whom it believes, and who it says it is.
#pragma once

#include <curl/curl.h>

#include "belay/hooks.h"

namespace belay::hook {

// `options` must outlive the request.
void set_tls(CURL* easy, const HookOptions& options);

}  // namespace belay::hook
