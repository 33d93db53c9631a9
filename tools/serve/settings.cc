#include "serve/settings.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <utility>

#include "base/ascii.h"
#include "base/number.h"
#include "base/secrets.h"
#include "serve/grpc/door.h"
#include "serve/http/message.h"
#include "serve/read_file.h"
#include "serve/read_types.h"
#include "serve/registry.h"

namespace belay::tool {
namespace {

constexpr unsigned kThreadsMax = 256;
constexpr std::size_t kAlertsPerMinuteMax = 6'000;
constexpr Millis kAlertTimeMax{24LL * 3600 * 1000};

void describe_alerts(OptionTable& table, ServeSettings& settings) {
  table.url("alert-webhook", settings.alert_webhook,
            "is told of stuck transactions, one alert for all with the same cause");
  table.duration("alert-wait", settings.alerts.wait,
                 "how long a cause collects transactions before its first alert; also before the "
                 "one that says resolved");
  table.duration("alert-interval", settings.alerts.interval,
                 "from an alert to the next one of the same cause");
  table.count("alerts-per-minute-max", settings.alerts.per_minute_max, "of all causes; more wait",
              1, kAlertsPerMinuteMax);
}

void describe_server(OptionTable& table, ServeSettings& settings) {
  table.section("Server");
  table.text("db", "PATH", settings.db, "the state file");
  table.flag("must-exist", settings.engine.must_exist,
             "end rather than begin with a new state file");
  table.choice<protocol::Secrets>(
      "secrets", "SECRETS", settings.service.secrets,
      {{"hidden", protocol::Secrets::hidden}, {"shown", protocol::Secrets::shown}},
      "passwords and tokens in URLs and headers, in query and all: hidden or shown");
  table.text("proto", "FILE", settings.proto_file,
             "a descriptor set of protoc: the console and the admin API show payloads of gRPC as "
             "messages");
  table.choice<std::uint32_t>(
      "file-mode", "PERMISSIONS", settings.engine.file_mode,
      {{"0600", 0600}, {"0640", 0640}, {"0660", 0660}, {"0644", 0644}, {"0664", 0664}},
      "permissions of a new state file and what lies beside it");
  table.flag("no-check", settings.no_check,
             "do not check the whole state file at the start (seconds a GB)");
  table.flag("no-console", settings.no_console, "serve no page for operators at /");
  table.text("listen", "HOST:PORT", settings.listen, "where to listen; port 0: any free one");
  table.text("grpc-listen", "HOST:PORT", settings.grpc_listen,
             "where to answer dtm's gRPC service, or none; default: 127.0.0.1:36790, and none if "
             "--listen is given");
  table.list("allow-host", "NAME", settings.allow_hosts,
             "a further name in the header Host; repeatable; default: on loopback only loopback's");
  table.text("probe-listen", "HOST:PORT", settings.probe_listen,
             "where plain HTTP answers /healthz, /api/health and /api/ping, and nothing else");
  table.text(
      "token-file", "PATH", settings.token_file,
      "a file with bearer tokens, TOKEN or NAME:ROLE:TOKEN a line; requests need one of them");
  table.flag("insecure", settings.insecure,
             "listen beyond this machine though nobody has to prove who they are");
  table.text("tls-cert", "PATH", settings.tls_cert_file, "certificate chain, PEM");
  table.text("tls-key", "PATH", settings.tls_key_file, "its private key, PEM");
  table.text("tls-client-ca", "PATH", settings.tls_client_ca_file,
             "clients need a certificate of this authority, PEM");
  table.duration("drain-timeout", settings.drain_timeout,
                 "how long SIGTERM lets what is under way finish");
  table.url("register", settings.register_at,
            "a registry where clients find this server: etcd://HOST:PORT[,HOST:PORT]/KEY or "
            "consul://HOST:PORT/NAME; etcds and consuls over TLS");
  table.text("register-endpoint", "HOST:PORT", settings.register_endpoint,
             "what is registered there: where clients reach this server");
  describe_alerts(table, settings);
  table.choice<LogFormat>("log-format", "FORMAT", settings.log_format,
                          {{"text", LogFormat::text}, {"json", LogFormat::json}}, "text or json");
  table.choice<LogLevel>("log-level", "LEVEL", settings.engine.log_level,
                         {{"debug", LogLevel::debug},
                          {"info", LogLevel::info},
                          {"warning", LogLevel::warning},
                          {"error", LogLevel::error}},
                         "debug, info, warning or error");
}

void describe_server_limits(OptionTable& table, ServeSettings& settings) {
  table.section("Server limits");
  table.count("http-threads", settings.http.threads, "that read requests", 1, kThreadsMax);
  table.bytes("body-bytes-max", settings.http.body_bytes_max, "of one request; beyond: 413");
  table.bytes("bodies-bytes-max", settings.http.bodies_bytes_max,
              "of all requests not answered yet; beyond: 503");
  table.bytes("header-bytes-max", settings.http.header_bytes_max, "of one request; beyond: 431");
  table.count("connections-max", settings.http.connections_max, "at once; beyond: 503", 1);
  table.count("requests-in-flight-max", settings.http.requests_in_flight_max,
              "waiting for their answer; beyond: 503", 1);
  table.duration("receive-timeout", settings.http.request_timeout,
                 "from a request's first byte to its last; beyond: 408");
  table.duration("idle-timeout", settings.http.idle_timeout, "of a connection without a request");
  table.count("reads-queued-max", settings.service.reads_queued_max, "queries waiting; beyond: 503",
              1);
  table.count("read-threads", settings.service.read_threads, "that answer queries", 1, kThreadsMax);
  table.count("waits-max", settings.service.waits_max, "requests waiting for a result; beyond: 425",
              1);
}

void describe_engine(OptionTable& table, Options& engine) {
  table.section("Transactions");
  table.choice<History>(
      "history", "HISTORY", engine.history,
      {{"all", History::all}, {"failed", History::failed}, {"none", History::none}},
      "finished ones that are kept: all, failed or none");
  table.duration("retention", engine.retention,
                 "how long the succeeded are kept, in time a server has seen; 0s: for ever");
  table.duration("retention-failed", engine.retention_failed, "and the failed");
  table.duration("retry-first-interval", engine.retry.first_interval,
                 "from a call without an answer to the next");
  table.number("retry-multiplier", engine.retry.multiplier, "by which it grows");
  table.duration("retry-interval-max", engine.retry.interval_max, "how far it grows");
  table.number("retry-jitter", engine.retry.jitter, "from 0 to 1, how much of it is drawn by lot");
  table.count("retry-limit", engine.retry.limit,
              "forward calls without an answer before it turns back; 0: no limit");
  table.duration("ongoing-interval", engine.retry.ongoing_interval, "after the answer ONGOING");
  table.duration("request-timeout", engine.request_timeout, "how long a call may take");
  table.count("stuck-after", engine.stuck_after, "calls without an answer: then it is stuck", 1);
  table.duration("checkpoint-interval", engine.checkpoint_interval,
                 "how old the log's head may grow while little happens");
  table.bytes("checkpoint-log-bytes", engine.checkpoint_log_bytes,
              "how long the log may grow before its head is folded away");
}

void describe_limits(OptionTable& table, Limits& limits) {
  table.section("Limits of transactions");
  table.count("live-transactions-max", limits.live_transactions_max, "unfinished at once", 1);
  table.count("queued-submits-max", limits.queued_submits_max, "handed in and not decided", 1);
  table.count("calls-in-flight-max", limits.calls_in_flight_max, "at once; more wait", 1);
  table.count("branches-max", limits.branches_max, "of a transaction", 1);
  table.bytes("payload-bytes-max", limits.payload_bytes_max, "of a branch");
  table.bytes("definition-bytes-max", limits.definition_bytes_max, "of a transaction");
  table.count("gid-bytes-max", limits.gid_bytes_max, "of a gid", 1);
  table.count("subscriptions-max", limits.subscriptions_max, "of all topics");
  table.bytes("live-bytes-max", limits.live_bytes_max, "of memory of unfinished transactions");
  table.bytes("queued-bytes-max", limits.queued_bytes_max, "of memory of requests not decided");
  table.bytes("call-bytes-max", limits.call_bytes_max, "of memory of calls in flight; more wait");
  table.bytes("subscription-bytes-max", limits.subscription_bytes_max, "of memory of all topics");
}

void describe_hooks(OptionTable& table, ServeSettings& settings) {
  auto& hooks = settings.engine.hooks;
  table.section("Calls to branches");
  table.list("allow-target", "PATTERN", hooks.allowed_targets,
             "a host that may be called, as https://*.example.com; repeatable; default: all");
  table.flag("allow-link-local", settings.allow_link_local,
             "call link-local addresses too, where clouds keep their metadata");
  table.text("hook-ca-file", "PATH", hooks.ca_file,
             "authorities of the services and registries called, PEM");
  table.text("hook-client-cert", "PATH", hooks.client_cert_file,
             "shown to services and registries, PEM");
  table.text("hook-client-key", "PATH", hooks.client_key_file, "its private key, PEM");
  table.url("hook-proxy", hooks.proxy, "through which services are called");
  table.list("name-registry", "WORD=REGISTRY", settings.name_registries,
             "a word for a registry in targets, with {} for the name, as "
             "discovery=etcd://10.0.0.5:2379/{}; repeatable");
  table.text("balance", "WAY", settings.balance,
             "how the endpoints of a named service take turns: in-turn or least-in-flight");
  table.bytes("response-bytes-max", hooks.response_bytes_max,
              "of an answer; beyond, it counts as none");
  table.count("calls-per-host-max", hooks.calls_per_host_max, "at once; more wait", 1);
  table.number("rate-per-host-max", hooks.rate_per_host_max, "calls a second; 0: no limit");
  table.count("breaker-failures", hooks.breaker_failures,
              "in a row: then a host is left alone for a while; 0: never");
  table.duration("breaker-open-first", hooks.breaker_open_first, "how long at first");
  table.duration("breaker-open-max", hooks.breaker_open_max, "how long at most");
  table.count("hosts-max", hooks.hosts_max, "remembered at once", 1);
}

// How services are found by name.
std::optional<std::string> complete_names(ServeSettings& settings) {
  auto& hooks = settings.engine.hooks;
  for (const auto& pair : settings.name_registries) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos || equals == 0)
      return "--name-registry: '" + base::without_secrets(pair) + "' is no WORD=REGISTRY";
    const bool is_new =
        hooks.registries.emplace(pair.substr(0, equals), pair.substr(equals + 1)).second;
    if (!is_new) return "--name-registry: '" + pair.substr(0, equals) + "' is there twice";
  }
  if (settings.balance != kInTurn && settings.balance != kLeastInFlight)
    return std::string("--balance: it must be ") + kInTurn + " or " + kLeastInFlight;
  hooks.balance = settings.balance == kInTurn ? Balance::in_turn : Balance::least_in_flight;
  return std::nullopt;
}

std::optional<std::string> read_setting(const std::string& path, std::string& into) {
  if (path.empty()) return std::nullopt;
  auto text = read_file(path);
  if (!text) return text.error().detail;
  if (text->empty()) return path + " is empty";
  into = std::move(*text);
  return std::nullopt;
}

std::optional<std::string> read_message_types(ServeSettings& settings) {
  if (settings.proto_file.empty()) return std::nullopt;
  auto types = read_types(settings.proto_file);
  if (!types) return types.error().detail;
  settings.service.message_types = std::make_shared<CurrentTypes>(std::move(*types));
  return std::nullopt;
}

bool is_one_word(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char letter) {
    return static_cast<unsigned char>(letter) <= ' ' || letter == 0x7f;
  });
}

// libcurl itself looks at a proxy only when it makes a call.
bool is_proxy(std::string_view text) {
  constexpr std::array<std::string_view, 6> kSchemes = {"http",    "https",  "socks4",
                                                        "socks4a", "socks5", "socks5h"};
  const auto end = text.find("://");
  if (end == text.npos) return is_one_word(text);
  const auto scheme = std::find(kSchemes.begin(), kSchemes.end(), text.substr(0, end));
  return scheme != kSchemes.end() && text.size() > end + 3 && is_one_word(text);
}

// Nobody has to prove who they are there, so strangers must not take much memory.
std::optional<std::string> listen_for_probes(ServeSettings& settings) {
  constexpr unsigned kConnectionsMax = 64;
  constexpr std::size_t kBodyBytesMax = 4 * 1024;
  if (settings.probe_listen.empty()) return std::nullopt;
  const auto address = parse_address(settings.probe_listen);
  if (!address) return "--probe-listen: '" + settings.probe_listen + "' is no HOST:PORT";
  auto options = settings.http;
  options.host = address->host;
  options.port = address->port;
  options.threads = 1;
  options.tls_cert = options.tls_key = options.tls_client_ca = "";
  options.connections_max = std::min(options.connections_max, kConnectionsMax);
  options.body_bytes_max = std::min(options.body_bytes_max, kBodyBytesMax);
  settings.probe_http = std::move(options);
  return std::nullopt;
}

// A second server on this machine, which has a port of its own for HTTP, must not fail because the
// first one has gRPC's.
std::optional<std::string> listen_for_grpc(ServeSettings& settings) {
  auto& listen = settings.grpc_listen;
  const bool is_default = listen.empty() && settings.listen == kDefaultListen && door::is_built();
  if (is_default) listen = kDefaultGrpcListen;
  if (listen.empty() || listen == "none") return std::nullopt;
  if (!door::is_built()) return "--grpc-listen: this belay was built without gRPC";
  const auto address = parse_address(listen);
  if (!address) return "--grpc-listen: '" + listen + "' is neither HOST:PORT nor none";
  settings.grpc = settings.http;
  settings.grpc->host = address->host;
  settings.grpc->port = address->port;
  return std::nullopt;
}

// On loopback only requests of this machine's own programs are expected, by loopback's names.
std::optional<std::string> allow_hosts(ServeSettings& settings, const Address& address) {
  std::vector<std::string> names;
  for (const auto& text : settings.allow_hosts) {
    auto name = parse_host_name(text);
    if (!name) return "--allow-host: '" + text + "' is no name of a host";
    names.push_back(std::move(*name));
  }
  const bool near = is_loopback(address.host);
  const bool six = address.host.find(':') != std::string::npos;
  if (near) names.push_back(base::lower(six ? "[" + address.host + "]" : address.host));
  if (!names.empty()) settings.hosts = AllowedHosts(std::move(names));
  return std::nullopt;
}

bool is_loopback(const sockaddr& address) {
  const void* any = &address;
  if (address.sa_family == AF_INET) {
    return (ntohl(static_cast<const sockaddr_in*>(any)->sin_addr.s_addr) >> 24) == 127;
  }
  return address.sa_family == AF_INET6 &&
         IN6_IS_ADDR_LOOPBACK(&static_cast<const sockaddr_in6*>(any)->sin6_addr);
}

std::optional<std::string> check_registry(const ServeSettings& settings) {
  if (settings.register_at.empty() && settings.register_endpoint.empty()) return std::nullopt;
  if (settings.register_at.empty() || settings.register_endpoint.empty())
    return "--register and --register-endpoint go together";
  const auto made =
      Registry::make(settings.register_at, settings.register_endpoint, settings.engine.hooks);
  if (made) return std::nullopt;
  return "--register: " + made.error().detail;
}

}  // namespace

void describe(OptionTable& table, ServeSettings& settings) {
  describe_server(table, settings);
  describe_server_limits(table, settings);
  describe_engine(table, settings.engine);
  describe_limits(table, settings.engine.limits);
  describe_hooks(table, settings);
}

std::optional<Address> parse_address(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == text.npos || colon == 0) return std::nullopt;
  auto host = text.substr(0, colon);
  const auto port = base::parse_number<std::uint16_t>(text.substr(colon + 1));
  if (!port) return std::nullopt;
  if (host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != host.npos)
    return std::nullopt;
  if (host.empty()) return std::nullopt;
  return Address{host, *port};
}

bool is_loopback(const std::string& host) {
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, nullptr, &found) != 0) return false;
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, freeaddrinfo);
  for (const auto* at = found; at != nullptr; at = at->ai_next) {
    if (!is_loopback(*at->ai_addr)) return false;
  }
  return true;
}

const std::string* reachable(const ServeSettings& settings) {
  if (!is_loopback(settings.http.host)) return &settings.listen;
  return settings.grpc && !is_loopback(settings.grpc->host) ? &settings.grpc_listen : nullptr;
}

std::optional<std::string> read_tls(const ServeSettings& settings, TlsTexts& into) {
  for (const auto& [path, text] : {std::pair{&settings.tls_cert_file, &into.cert},
                                   {&settings.tls_key_file, &into.key},
                                   {&settings.tls_client_ca_file, &into.client_ca}}) {
    if (auto wrong = read_setting(*path, *text)) return wrong;
  }
  return std::nullopt;
}

Result<Tokens> read_tokens(const ServeSettings& settings) {
  if (settings.token_file.empty()) return Tokens{};
  auto tokens = read_tokens(settings.token_file);
  if (!tokens) return Error{tokens.error().code, "--token-file: " + tokens.error().detail};
  return tokens;
}

std::optional<std::string> complete(ServeSettings& settings, Tokens& tokens) {
  const auto address = parse_address(settings.listen);
  if (!address) return "--listen: '" + settings.listen + "' is no HOST:PORT";
  settings.http.host = address->host;
  settings.http.port = address->port;
  if (auto wrong = allow_hosts(settings, *address)) return wrong;
  settings.http.probe_path = "/healthz";  // overload does not make the server unhealthy
  settings.engine.check_at_open = !settings.no_check;
  settings.engine.hooks.refuse_link_local = !settings.allow_link_local;
  settings.service.retry = settings.engine.retry;
  settings.service.request_timeout = settings.engine.request_timeout;
  const auto& webhook = settings.alert_webhook;
  if (!webhook.empty() && !(http::is_url(webhook) && is_one_word(webhook))) {
    return "--alert-webhook: it must begin with http:// or https://, and have no space";
  }
  if (auto wrong = complete_names(settings)) return wrong;
  if (auto wrong = check_registry(settings)) return wrong;
  if (settings.alerts.wait > kAlertTimeMax) return "--alert-wait: a day at most";
  if (settings.alerts.interval > kAlertTimeMax) return "--alert-interval: a day at most";
  const auto& hooks = settings.engine.hooks;
  if (!is_proxy(hooks.proxy)) {
    return "--hook-proxy: it must be HOST:PORT, or a URL such as http://proxy.example:3128";
  }
  if (hooks.client_cert_file.empty() != hooks.client_key_file.empty()) {
    return "--hook-client-cert and --hook-client-key go together";
  }
  if (settings.tls_cert_file.empty() != settings.tls_key_file.empty()) {
    return "--tls-cert and --tls-key go together";
  }
  if (!settings.tls_client_ca_file.empty() && settings.tls_cert_file.empty()) {
    return "--tls-client-ca needs --tls-cert and --tls-key";
  }
  if (auto wrong = listen_for_probes(settings)) return wrong;
  auto read = read_tokens(settings);
  if (!read) return read.error().detail;
  tokens = std::move(*read);
  if (auto wrong = read_message_types(settings)) return wrong;
  TlsTexts tls;
  if (auto wrong = read_tls(settings, tls)) return wrong;
  settings.http.tls_cert = std::move(tls.cert);
  settings.http.tls_key = std::move(tls.key);
  settings.http.tls_client_ca = std::move(tls.client_ca);
  if (auto wrong = listen_for_grpc(settings)) return wrong;
  const bool guarded = !tokens.empty() || !settings.tls_client_ca_file.empty() || settings.insecure;
  const auto* open_to_all = guarded ? nullptr : reachable(settings);
  if (open_to_all != nullptr) {
    return *open_to_all +
           " can be reached from elsewhere: give --token-file, --tls-client-ca or --insecure";
  }
  return std::nullopt;
}

}  // namespace belay::tool
