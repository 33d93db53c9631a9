// A JSON-RPC answer's meaning: parsed as a whole, or unknown.
#pragma once

#include <string_view>

#include "belay/outcome.h"

namespace belay::hook {

// `id`: of the call. dtm's plain answer, an object with `dtm_result`, is taken too.
Outcome read_json_rpc(std::string_view body, std::string_view id);

}  // namespace belay::hook
