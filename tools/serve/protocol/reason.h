// Reasons in dtm's wording, for clients that show it or search in it.
#pragma once

#include <string>
#include <string_view>

namespace belay::protocol {

// For a transaction that turned back: "branch 02 (http://…): no" becomes "url:http://… return
// failed: no"; likewise for a timeout and an exhausted retry limit.
std::string client_reason(std::string_view reason);
// For a branch whose call brought no readable answer.
std::string unknown_result_text(std::string_view reason);
// A target as the client wrote it.
std::string_view url_of(std::string_view target);

}  // namespace belay::protocol
