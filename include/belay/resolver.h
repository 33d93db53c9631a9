// Services that are found by name: a branch's target names a service, and belay calls one of the
// endpoints that a registry lists for it.
//
//   [PROTOCOL+]SOURCE://[WHERE]/NAME/REST
//
// PROTOCOL is how an endpoint is called: http, https, jsonrpc+http, jsonrpc+https, grpc or grpcs.
// Without it the target is gRPC's, as dtm's drivers write it: "etcd://h:2379/stock/pkg.Stock/Take".
// REST is what follows the endpoint's address: for gRPC "package.Service/Method", for the others
// "path?query".
//
// SOURCE is who knows the endpoints, WHERE the addresses at which it is asked:
// - etcd, discov: "HOST:PORT[,HOST:PORT…]", asked in turn. NAME is the key below which servers
//   register; a slash in it is written %2F. "USER:PASSWORD@" may stand before the hosts.
// - consul: "HOST:PORT". NAME is the service. ":TOKEN@" may stand before the host.
// - etcds, consuls: the same over TLS, with the certificates of HookOptions.
// - dns: NAME is "HOST:PORT", whose addresses are the endpoints. WHERE may be empty, for the
//   system's name servers, or a name server's "IP:PORT".
// - dns+srv: NAME is what has SRV records: "_stock._tcp.example.com". WHERE is as in dns.
// - any other word: a resolver of the embedding program, see Resolver, or a word that stands for a
//   registry, as "discovery" does where servers register by kratos. The name is WHERE or, if
//   WHERE is empty, NAME: "http+mine://stock/path" and "http+mine:///stock/path" are the same.
//
// A gRPC target may have a query, which is the source's: `user` and `password` for etcd; `token`,
// `dc`, `tag` and `wait` (seconds, as "30s", 1 to 600) for consul.
//
// In etcd a value is "HOST:PORT", or the JSON of kratos: {"endpoints":["grpc://HOST:PORT",…]}, of
// which the endpoints with the target's protocol are taken. An entry with any other value is
// ignored, and logged.
//
// The endpoints are watched while they are needed, and for some minutes after. If the registry
// cannot be asked, the endpoints that were known last are called.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "belay/result.h"
#include "belay/types.h"

namespace belay {

// One place at which a service can be called.
struct Endpoint {
  std::string host;          // a name or an address; IPv6 without brackets
  std::uint16_t port = 0;    // 1 to 65,535
  std::uint32_t weight = 1;  // its share of the calls, compared with the others'; 1 to 65,535
  // Endpoints with the lowest number are called, and others only if all of these do not answer.
  std::uint32_t priority = 0;

  bool operator==(const Endpoint&) const = default;
};

// The complete list of a service's endpoints, in any order. An empty list means that the service
// has none; an error, that it could not be found out, and what was known before remains.
using Resolved = std::function<void(Result<std::vector<Endpoint>> endpoints)>;

// How an embedding program finds the endpoints of a name by itself.
struct Resolver {
  // Called on the engine's loop thread, so it must not block. It must call `done` once, within
  // the call or later, from any thread; later calls of `done` are ignored. Without a call within
  // 30 seconds the list counts as unknown, and the resolver is asked again. `done` may be kept
  // and called after the engine was closed. At most 256 endpoints of a name are used; endpoints
  // with a malformed host or a number out of its range are left out, and this is logged.
  std::function<void(const std::string& name, Resolved done)> ask;
  // When the resolver is asked again for a name that is in use; 100 ms to 1 hour.
  Millis refresh{10'000};
};

// Which endpoint of a service is called next.
enum class Balance : std::uint8_t {
  in_turn,          // round robin, by weight
  least_in_flight,  // the fewest calls in flight for its weight; among equals in turn
};

// What is known of one name at one moment. Totals count from the name's first look-up; a name that
// was not looked up for some minutes is forgotten.
struct NameFigures {
  std::string name;    // "etcd://h:2379/stock", without passwords
  std::string source;  // "etcd"
  std::uint64_t endpoints = 0;
  bool known = false;   // a list has come at least once
  Millis stale_for{0};  // how long the registry could not be asked; 0: the list is current
  std::uint64_t lists = 0, failures = 0;  // totals: how often the registry could be asked, or not
  std::string last_error;                 // without passwords, at most 512 bytes; empty: none yet

  bool operator==(const NameFigures&) const = default;
};

}  // namespace belay
