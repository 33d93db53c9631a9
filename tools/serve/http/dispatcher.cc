#include "serve/http/dispatcher.h"

#include <chrono>
#include <utility>

#include "serve/http/server_request.h"

namespace belay::http {
namespace {

// A body that is too large is read and dropped up to this many times the limit, since a client that
// is still sending would not see an earlier answer.
constexpr std::size_t kSwallowFactor = 4;
// Answers up to this size are sent however many bytes are reserved: refusals, probes.
constexpr std::size_t kSmallAnswer = 4 * 1024;
// How long sending the last answers may take when the server stops.
constexpr std::chrono::seconds kLastAnswers{1};

}  // namespace

Dispatcher::Dispatcher(const ServerOptions& options, const CurrentIdentity& identity,
                       Server::Handler handler)
    : options_(options),
      identity_(identity),
      handler_(std::move(handler)),
      connections_({options.request_timeout, options.idle_timeout}) {}

Connection* Dispatcher::on_connected(int fd) {
  auto* peer = connections_.add(fd, !options_.tls_cert.empty());
  peer->identity = identity_.get();
  peer->beyond_limit = connections_.count() > options_.connections_max;
  return peer;
}

void Dispatcher::on_disconnected(Connection* peer) { connections_.remove(peer); }

bool Dispatcher::on_headers(Daemon& daemon, MHD_Connection* connection, RequestLine line,
                            void** slot) {
  auto* peer = peer_of(connection);
  if (peer == nullptr) return false;
  if (peer->phase() == Phase::idle) peer->enter(Phase::reading);
  const auto exchange = std::make_shared<Exchange>(daemon, connection, peer, suspended_);
  exchange->self = exchange;
  *slot = exchange.get();
  exchange->request.method = line.method;
  exchange->request.path = line.path;
  exchange->request.sent_path = peer->sent_path;
  line.target = peer->target;
  if (peer->beyond_limit) return refuse(connection, *exchange, 503, true);
  if (header_bytes_of(connection) > options_.header_bytes_max) {
    return refuse(connection, *exchange, 431, true);
  }
  if (!has_strict_head(connection, line)) return refuse(connection, *exchange, 400, true);
  // The library also accepts a bare LF in the lines between chunks, and does not show these lines.
  exchange->is_last = is_chunked(connection);
  const auto length = promised_length(connection);
  if (!length || *length <= options_.body_bytes_max) return true;
  exchange->refusal = 413;
  const bool at_once =
      expects_go_ahead(connection) || *length / kSwallowFactor > options_.body_bytes_max;
  return at_once ? refuse(connection, *exchange, 413, true) : true;
}

bool Dispatcher::reserve(Exchange& exchange, std::size_t size, Lone lone) {
  const auto held = reserved_bytes_.fetch_add(size);
  const bool is_taken = lone == Lone::taken && held == 0;
  if (held + size > options_.bodies_bytes_max && !is_taken) {
    reserved_bytes_.fetch_sub(size);
    return false;
  }
  exchange.reserved_bytes += size;
  return true;
}

void Dispatcher::give_back(Exchange& exchange) {
  reserved_bytes_.fetch_sub(std::exchange(exchange.reserved_bytes, 0));
}

bool Dispatcher::on_body(Exchange& exchange, const char* bytes, std::size_t size) {
  auto& body = exchange.request.body;
  if (exchange.refusal == 0) {
    if (body.size() + size > options_.body_bytes_max)
      exchange.refusal = 413;
    else if (!reserve(exchange, size, Lone::counted))
      exchange.refusal = 503;
    else
      body.append(bytes, size);
    if (exchange.refusal == 0) return true;
    std::string().swap(body);
    give_back(exchange);
  }
  exchange.swallowed_bytes += size;
  return exchange.swallowed_bytes / kSwallowFactor <= options_.body_bytes_max;
}

bool Dispatcher::on_complete(MHD_Connection* connection, Exchange& exchange) {
  if (!std::exchange(exchange.dispatched, true)) {
    if (!exchange.peer->enter(Phase::handling)) return false;
    if (exchange.refusal != 0) return refuse(connection, exchange, exchange.refusal, false);
    exchange.in_flight = true;
    const bool is_probe = exchange.request.path == options_.probe_path;
    if (in_flight_.fetch_add(1) >= options_.requests_in_flight_max && !is_probe) {
      return refuse(connection, exchange, 503, false);
    }
    return dispatch(connection, exchange);
  }
  return send_or_suspend(connection, exchange);
}

bool Dispatcher::send_or_suspend(MHD_Connection* connection, Exchange& exchange) {
  auto response = exchange.take_or_suspend();
  return !response || send(connection, exchange, std::move(*response), false);
}

bool Dispatcher::dispatch(MHD_Connection* connection, Exchange& exchange) {
  requests_.fetch_add(1, std::memory_order_relaxed);
  read_fields(connection, exchange.request);
  handler_(std::move(exchange.request),
           [shared = exchange.self](Response response) { shared->answer(std::move(response)); });
  return send_or_suspend(connection, exchange);
}

// A client may not read its answer, so the answer's bytes are reserved in place of those of the
// request's body.
bool Dispatcher::send(MHD_Connection* connection, Exchange& exchange, Response response,
                      bool close) {
  auto& peer = *exchange.peer;
  if (!peer.enter(Phase::writing)) return false;
  give_back(exchange);
  if (response.body.size() > kSmallAnswer &&
      !reserve(exchange, response.body.size(), Lone::taken)) {
    refused_.fetch_add(1, std::memory_order_relaxed);
    response = plain_response(503);
  }
  const auto stream = response.stream;
  if (stream) {
    exchange.begin(stream);
    if (!streams_.add(stream)) stream->end();
  }
  // A client that connected under an older certificate must connect again and then gets the new
  // one.
  const bool is_last =
      close || closing_ || stream || exchange.is_last || !identity_.is(peer.identity.get());
  return send_response(connection, std::move(response), is_last ? After::close : After::keep_alive);
}

bool Dispatcher::refuse(MHD_Connection* connection, Exchange& exchange, int status, bool close) {
  exchange.dispatched = true;
  refused_.fetch_add(1, std::memory_order_relaxed);
  return send(connection, exchange, plain_response(status), close);
}

void Dispatcher::on_done(Exchange& exchange) {
  const auto keep = std::exchange(exchange.self, nullptr);
  exchange.detach();
  if (exchange.stream) streams_.remove(exchange.stream);
  exchange.peer->enter(Phase::idle);
  give_back(exchange);
  if (!exchange.in_flight || in_flight_.fetch_sub(1) != 1 || !closing_) return;
  const base::Lock lock(mutex_);
  none_in_flight_.notify_all();
}

void Dispatcher::end_all() {
  closing_ = true;
  for (const auto& exchange : suspended_->close()) exchange->answer(plain_response(503));
  for (const auto& stream : streams_.close()) stream->end();
  base::Lock lock(mutex_);
  lock.wait_for(none_in_flight_, kLastAnswers, [this] { return in_flight_ == 0; });
}

Server::Figures Dispatcher::figures() const {
  return {connections_.count(), in_flight_, reserved_bytes_, requests_, refused_, shortages_};
}

}  // namespace belay::http
