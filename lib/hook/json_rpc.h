// The meaning of a JSON-RPC answer. The answer is parsed as a whole; otherwise the outcome is
// unknown.
#pragma once

#include <string_view>

#include "belay/outcome.h"

namespace belay::hook {

// `id`: the id of the call. dtm's plain answer, an object with `dtm_result`, is accepted too.
Outcome read_json_rpc(std::string_view body, std::string_view id);

}  // namespace belay::hook
