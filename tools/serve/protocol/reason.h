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
// A target that dtm's gRPC clients write as HOST:PORT/SERVICE/METHOD begins with this.
inline constexpr std::string_view kDirectScheme = "grpc://";

// A target as the client wrote it.
std::string_view url_of(std::string_view target);

// What dtm calls the protocol of a transaction with this target: json-rpc, grpc or the plain one.
std::string_view protocol_of_target(std::string_view target);
inline constexpr std::string_view kPlainProtocol = "http";

}  // namespace belay::protocol
