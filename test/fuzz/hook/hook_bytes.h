// What must hold for any bytes that a peer sends or a caller names: a response means the same
// however it is cut into pieces, and what the protocol's table says; JSON that is read is JSON; a
// URL that is accepted leads, for libcurl too, to the host that was checked. Shared by the fuzzer
// and by the plain test of its corpus.
#pragma once

#include <string>
#include <string_view>

namespace belay::test {

// The input's first byte says what the rest is.
enum class HookBytes : char {
  http = 'h',      // a digit for the status, a character for how it is cut, the body
  json_rpc = 'j',  // likewise
  headed = 'p',    // likewise, with lines of a response's head and an empty line before the body
  json = 'o',      // an object
  url = 'u',       // a target
  grpc = 'g',   // a character for how it is cut, headers, trailers, the body; after the first two
                // an empty line
  http2 = '2',  // what a peer sends after its connection was opened, and a request submitted
};

// What broke, in a sentence; empty if all held. `read` is set if the input meant something.
std::string check_hook_bytes(std::string_view input, bool& read);

}  // namespace belay::test
