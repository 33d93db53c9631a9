// Branches that are URLs: HTTP, JSON-RPC and gRPC. A name with "://" in it is always a URL: schemes
// other than those below are refused, and no handler can have such a name.
//
// dtm's protocol: a target that begins with "http://" or "https://" is called with a POST of the
// payload (a GET if there is no payload, except in xa). The query has branch_id, gid, op and
// trans_type; the request has the headers of the transaction and of the branch. The answer is read
// in this order:
// - status 425, or the word ONGOING in the body: ongoing
// - status 409, or the word FAILURE in the body: failure, with the start of the body as the reason
// - status 200: success
// - anything else: unknown
//
// The reason of a call without an answer begins with "no connection" if nothing of the call was
// sent, so that the host cannot have received it: its name was not found, it refused or did not
// complete the connection, or TLS failed. Otherwise the reason begins with "no answer": the host
// may have done the work. A request that a proxy has received, to reach the host for it, counts as
// sent.
//
// A letter of these words may be written as JSON's \u0046. If the body cannot be read, the outcome
// is unknown unless the status is 425 or 409. A body can be read if it is text in a charset whose
// ASCII letters are ASCII's bytes, plain or compressed once with gzip or deflate, and complete. A
// body cannot be read if it has another Content-Encoding or several, a Transfer-Encoding other than
// chunked, was truncated, is in UTF-16 or a similar charset, or contains control characters. The
// request has `Accept-Encoding: identity`, which asks for no compression.
//
// Retry-After: an answer with status 429 or 503 may say when it should be asked again, in seconds
// or as a date ("Sun, 06 Nov 1994 08:49:37 GMT", compared with the answer's own Date). The branch's
// next call is then made no earlier, see Outcome::retry_after. Any other value is ignored.
//
// JSON-RPC 2.0: a target that begins with "jsonrpc+http://" or "jsonrpc+https://" is called with
// the URL's query parameter `method` as the method and the payload, a JSON object, as the params.
// The answer is parsed as a whole; it must have the id of the call and either a result or an error:
// - a result: success. If a string in the result contains FAILURE or ONGOING, at any depth, the
//   outcome is failure or ongoing.
// - an error: failure for the code -32901 or FAILURE in its message; ongoing for -32902 or ONGOING;
//   otherwise unknown
// - anything else, and an answer that has a member twice: unknown
// dtm's own answer, {"dtm_result": …}, is accepted as well.
//
// gRPC: a target "grpc://HOST:PORT/package.Service/Method" ("grpcs://" with TLS) is called by gRPC:
// one unary call by HTTP/2, whose message is the payload, byte for byte (a workflow's callback gets
// its data as the message's first field). The metadata are dtm's (dtm-gid, dtm-trans_type,
// dtm-branch_id, dtm-op, dtm-dtm), belay-attempt and belay-fence, the headers of the transaction
// and of the branch with their names in lower case, and a traceparent. The call's timeout is its
// deadline, and is sent as such (grpc-timeout). The answer is read so:
// - status OK with exactly one message, whole and not compressed: success; the message is thrown
//   away
// - ABORTED: failure, with the status's message as the reason; but ongoing if the message is
// ONGOING
// - FAILED_PRECONDITION: ongoing
// - anything else: unknown. UNAVAILABLE counts as no answer for the breaker.
// With RESOURCE_EXHAUSTED and UNAVAILABLE a service may ask for a pause (grpc-retry-pushback-ms, in
// milliseconds). All calls to a host share one connection, which is closed when it was idle for a
// minute. A call that the host has refused (REFUSED_STREAM, GOAWAY) or that found its idle
// connection closed is made once more with the same attempt. gRPC targets are called without a
// proxy. On a loop of the program's own (Options::loop) the program must ignore SIGPIPE: a large
// message to a peer that has just closed may raise it. A header's name may have letters, digits,
// '-', '_' and '.', and its value printable ASCII; the value of a name that ends in "-bin" may be
// any bytes, and is sent as base64. The gid must be printable ASCII, without a space at an end.
// Anything else is refused at the submit, and so is a target without a port or with another path.
//
// A target may name a service instead of an address ("etcd://10.0.0.5:2379/stock/pkg.Stock/Take",
// "http+dns://stock.lan:8080/take", …): belay/resolver.h has the grammar. Each call goes to one of
// the service's endpoints, which is then the call's host, with all that is said of hosts here: an
// endpoint whose breaker is open gets no calls while others answer. A registry that a target names
// must be among the allowed targets by its host, and so must the endpoint that is called.
//
// Redirects: at most five are followed, on the same scheme, host and port only, and never without
// the payload, or, where there is no payload, without the query of the call: otherwise a login page
// would count as a success. Cookies are neither kept nor sent.
//
// Headers: a call may have 256 of its transaction and its branch, each with a name and a value that
// HTTP can carry; others are refused at the submit. Headers that belong to the connection (Host,
// Content-Length, Accept-Encoding, TE, …) are removed from those that a caller gives. Belay-Attempt
// and Belay-Fence are added (see Call), and a traceparent with a new span if one was submitted.
//
// Time: a call's timeout covers the whole call, from the look-up of the name to the last byte. If a
// call finds that its idle connection was closed by the server, the call is made once more with the
// same attempt.
//
// Hosts do not delay each other: each host has its own calls in flight, rate and circuit breaker. A
// breaker opens after `breaker_failures` calls in a row without an answer (no connection, a
// timeout, status 502, 503 or 504). It stays open for `breaker_open_first`. Then one call is let
// through; each time that call fails too, the breaker stays open for twice as long, up to
// `breaker_open_max`. Calls to a host whose breaker is open wait, and this costs them no attempts.
// If it takes long, their transactions count as stuck, see Options::stuck_after.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "belay/resolver.h"
#include "belay/result.h"
#include "belay/types.h"

namespace belay {

struct HookOptions {
  // Behaviour. A file that changes is read again within a minute, for new connections.
  // Of services, and of the registries that are asked over TLS.
  std::string ca_file;  // PEM; empty: the system's certificates
  // Shown to both. PEM; empty: none. If a certificate is given, its key must be given too.
  std::string client_cert_file;
  std::string client_key_file;
  // In curl's syntax. Empty: the environment's http_proxy (for http), https_proxy or HTTPS_PROXY
  // (for https), otherwise all_proxy or ALL_PROXY; they are read once, by Engine::open, and logged
  // at the start. In both cases the environment's no_proxy or NO_PROXY names hosts that are called
  // without a proxy.
  std::string proxy;
  // Targets that may be called: "SCHEME://HOST" or "HOST", where SCHEME is http, https, grpc or
  // grpcs (without it: all of them) and HOST is a name, an address or
  // "*.example.com"; with ":PORT" only that port is allowed. Empty: all targets. A target that is
  // not allowed is refused at the submit (forbidden_target) and never called.
  std::vector<std::string> allowed_targets;
  // Link-local addresses (169.254/16, fe80::/10) and the few other addresses where clouds keep
  // their metadata are not called, whatever name resolves to them and however they are written. If
  // the URL contains such an address, the submit is refused; otherwise the outcome of the call is
  // unknown. A proxy looks names up by itself, so belay cannot know the address: through a proxy,
  // a name is called only if a pattern of `allowed_targets` names it or a domain above it,
  // otherwise the submit is refused.
  bool refuse_link_local = false;

  // Services by name, see belay/resolver.h. `resolvers`: the program's own, by the word that stands
  // for one in a target. `registries`: words that stand for a registry and a name in it, in which
  // "{}" is the target's name, as {"discovery", "etcd://10.0.0.5:2379/%2Fmicroservices%2F{}"}.
  std::map<std::string, Resolver, std::less<>> resolvers;
  std::map<std::string, std::string, std::less<>> registries;
  Balance balance = Balance::in_turn;

  // Limits.
  std::size_t response_bytes_max = 1024 * 1024;  // compressed or uncompressed; beyond it: unknown
  std::uint32_t calls_per_host_max = 128;  // in flight at once, 1 to 4,096; further calls wait
  double rate_per_host_max = 0;            // calls a second; 0: no limit
  std::uint32_t breaker_failures = 10;     // in a row; 0: no breaker
  Millis breaker_open_first{1'000};
  Millis breaker_open_max{30'000};
  // The number of hosts remembered at once; hosts without calls are forgotten first.
  std::uint32_t hosts_max = 1'000;
};

enum class BreakerState : std::uint8_t { closed, open, half_open };
BELAY_EXPORT std::string_view name_of(BreakerState state) noexcept;

// The figures of one host at one moment. Totals count from the engine's first call of the host.
struct HostFigures {
  std::string host;  // "https://stock.example:8443"
  BreakerState breaker{};
  std::uint64_t in_flight = 0;
  std::uint64_t success = 0, failure = 0, ongoing = 0, unknown = 0;  // totals of outcomes
  std::uint64_t no_connection = 0;   // part of `unknown`: nothing of the call was sent
  std::uint64_t breaker_opened = 0;  // total

  bool operator==(const HostFigures&) const = default;
};

}  // namespace belay
