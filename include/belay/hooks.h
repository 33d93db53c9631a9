// Branches that are URLs. A target that begins with "http://" or "https://" is called with dtm's
// protocol: POST the payload (GET if there is none, save for xa), with branch_id, gid, op and
// trans_type in the query and the transaction's and branch's headers. Its answer is read in this
// order: status 425, or the word ONGOING in the body: ongoing; status 409, or FAILURE in the body:
// failure, with the body's start as the reason; status 200: success; all else: unknown. A letter of
// a word may be written as JSON's \u0046.
// A body that cannot be read is unknown unless the status is 425 or 409. Read is text in a charset
// in which ASCII's letters are ASCII's bytes, as it is, or packed once by gzip or deflate and
// whole. Not read: any other Content-Encoding or several, Transfer-Encodings but chunked, what was
// cut, UTF-16 and its like, control characters. `Accept-Encoding: identity` asks for no packing. A
// target that begins with "jsonrpc+http://" or "jsonrpc+https://" is called with JSON-RPC 2.0, the
// method being the URL's query parameter `method` and its params the payload, a JSON object. Its
// answer is parsed as a whole and must have the call's id and one of these: a result: success; an
// error: failure for the code -32901 or FAILURE in its message, ongoing for -32902 or ONGOING, else
// unknown. A result that has a string with such a word in it, however deep, means that.
// {"dtm_result": …} will do, too. Anything else, a member said twice included, is unknown.
// Redirects are followed on the same scheme, host and port only, five at most, and never without
// the payload, nor without the call's query where there is no payload: a page to log in at would
// pass for a yes. Cookies are neither kept nor sent.
// Headers of the connection (Host, Content-Length, Accept-Encoding, TE, …) are left out of what a
// caller gives; added are Belay-Attempt and Belay-Fence (see Call), and a traceparent with a new
// span if one was submitted. A call's timeout covers all of it, from the name's lookup to the last
// byte. A connection that was closed at rest is found out by a call, which is then made once more
// with the same attempt.
//
// What is named "…://…" is a URL: other schemes are refused, and no function can have such a name.
//
// Hosts do not hold each other up: each has its own calls in flight, rate and circuit breaker. A
// breaker opens after `breaker_failures` calls in a row without an answer (no connection, a
// timeout, status 502, 503 or 504), for `breaker_open_first`, doubled up to `breaker_open_max`
// while the one call that is then let through fails too. Calls to a host whose breaker is open wait
// without costing attempts.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "belay/result.h"
#include "belay/types.h"

namespace belay {

struct HookOptions {
  // Behaviour. Files that change are read again for new connections, within a minute.
  std::string ca_file;           // PEM; empty: the system's certificates
  std::string client_cert_file;  // PEM; empty: none. With its key:
  std::string client_key_file;
  std::string proxy;  // as curl's; empty: the environment's http_proxy, https_proxy, no_proxy
  // Targets that may be called: "SCHEME://HOST" or "HOST", the host a name, an address or
  // "*.example.com"; with ":PORT" only that port. Empty: all. One that is not allowed is refused at
  // submit (forbidden_target) and never called.
  std::vector<std::string> allowed_targets;
  // Link-local addresses (169.254/16, fe80::/10) and the few others where clouds keep their
  // metadata are not called, whatever name leads there: refused at submit if the URL names one,
  // else the answer is unknown.
  bool refuse_link_local = false;

  // Limits.
  std::size_t response_bytes_max = 1024 * 1024;  // packed or unpacked; beyond: unknown
  std::uint32_t calls_per_host_max = 128;        // in flight at once; more wait. 1 to 4,096
  double rate_per_host_max = 0;                  // calls a second; 0: no limit
  std::uint32_t breaker_failures = 10;           // in a row; 0: no breaker
  Millis breaker_open_first{1'000};
  Millis breaker_open_max{30'000};
  std::uint32_t hosts_max = 1'000;  // remembered at once; quiet ones are forgotten first
};

enum class BreakerState : std::uint8_t { closed, open, half_open };
BELAY_EXPORT std::string_view name_of(BreakerState state) noexcept;

// A moment's figures of one host. Totals count from when the engine first called it.
struct HostFigures {
  std::string host;  // "https://stock.example:8443"
  BreakerState breaker{};
  std::uint64_t in_flight = 0;
  std::uint64_t success = 0, failure = 0, ongoing = 0, unknown = 0;  // total outcomes
  std::uint64_t breaker_opened = 0;                                  // total

  bool operator==(const HostFigures&) const = default;
};

}  // namespace belay
