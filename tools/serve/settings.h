// All settings of `belay serve`, and their checks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "belay/options.h"
#include "serve/alert_groups.h"
#include "serve/allowed_hosts.h"
#include "serve/http/server.h"
#include "serve/log.h"
#include "serve/option_table.h"
#include "serve/protocol/service.h"
#include "serve/tokens.h"

namespace belay::tool {

struct Address {
  std::string host;
  std::uint16_t port = 0;
};
// Parses "HOST:PORT" or "[::1]:PORT".
std::optional<Address> parse_address(const std::string& text);

inline constexpr const char* kDefaultListen = "127.0.0.1:36789";
inline constexpr const char* kDefaultGrpcListen = "127.0.0.1:36790";

inline constexpr const char* kInTurn = "in-turn";
inline constexpr const char* kLeastInFlight = "least-in-flight";

struct ServeSettings {
  std::string db;
  std::string listen = kDefaultListen;
  std::string grpc_listen;  // empty: as `complete` says
  std::vector<std::string> allow_hosts;
  std::string probe_listen;
  std::string proto_file;
  std::string token_file;
  bool insecure = false;
  std::string tls_cert_file;
  std::string tls_key_file;
  std::string tls_client_ca_file;
  Millis drain_timeout{30'000};
  std::string alert_webhook;
  std::vector<std::string> name_registries;  // "WORD=REGISTRY"
  std::string balance = kInTurn;
  std::string register_at;
  std::string register_endpoint;
  AlertLimits alerts;
  LogFormat log_format = LogFormat::text;
  bool allow_link_local = false;
  bool no_console = false;
  bool no_check = false;  // turns off Options::check_at_open, which is on here

  AllowedHosts hosts;
  http::ServerOptions http;
  std::optional<http::ServerOptions> probe_http;
  std::optional<http::ServerOptions> grpc;  // the limits and TLS of HTTP
  protocol::ServiceOptions service;
  Options engine;
};

void describe(OptionTable& table, ServeSettings& settings);

// True if every address of the host is a loopback address.
bool is_loopback(const std::string& host);
// The address, as it was given, at which other machines can send requests; null: there is none.
const std::string* reachable(const ServeSettings& settings);

// Read the files that the settings name; they may be read again while the server runs. `read_tls`
// returns what is wrong, and in that case leaves `into` partly filled.
struct TlsTexts {
  std::string cert;
  std::string key;
  std::string client_ca;
};
std::optional<std::string> read_tls(const ServeSettings& settings, TlsTexts& into);
// No token if the settings name no file.
Result<Tokens> read_tokens(const ServeSettings& settings);

// Fills in what follows from the settings: the addresses, the allowed hosts, the contents of
// files, `tokens`. Returns what is wrong.
std::optional<std::string> complete(ServeSettings& settings, Tokens& tokens);

}  // namespace belay::tool
