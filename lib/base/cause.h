// What many waits for an answer have in common.
#pragma once

#include <string>
#include <string_view>

namespace belay::base {

// The host of a URL as `belay stats` names it: "http://stock.example:8080". Of a handler's name the
// empty text.
std::string host_of(std::string_view target);
// The error with "…" in place of ids, long numbers and milliseconds, so that one error about many
// things is one text. Short numbers stay, since they are often statuses.
std::string cause_of(std::string_view error);

}  // namespace belay::base
