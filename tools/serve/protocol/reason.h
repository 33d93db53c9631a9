// Reasons as dtm words them, for clients that show or look for its words.
#pragma once

#include <string>
#include <string_view>

namespace belay::protocol {

// Of a transaction that turned back: "branch 02 (http://…): no" becomes "url:http://… return
// failed: no"; a timeout and a used-up retry limit likewise.
std::string client_reason(std::string_view reason);
// Of a branch whose call brought no answer that can be read.
std::string unknown_result_text(std::string_view reason);
// A target as the client wrote it.
std::string_view url_of(std::string_view target);

}  // namespace belay::protocol
