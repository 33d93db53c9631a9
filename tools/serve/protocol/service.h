// dtm's protocol, /metrics and /healthz in front of an engine: from a request to its response,
// without sockets.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "belay/engine.h"
#include "serve/http/message.h"
#include "serve/protocol/metrics.h"
#include "serve/protocol/role.h"
#include "serve/protocol/secrets.h"

namespace belay::protocol {

// A change that a client with the role admin made. The texts live for the call only.
struct AdminChange {
  std::string_view caller;      // who made it, see `Service::handle`
  std::string_view call;        // the route's name: "forcestop"
  std::string_view gid, topic;  // what it is about; each may be empty
};

struct ServiceOptions {
  std::string version;  // the answer of GET /api/dtmsvr/version
  // The queue of reads for query, all, prepareWorkflow and the topics; further requests get 503.
  std::size_t reads_queued_max = 1'024;
  unsigned read_threads = 2;
  // The bytes of bodies beyond 64 KiB that wait to be parsed or are being parsed; further requests
  // get 503. These bodies are parsed one after the other, on a thread of the service.
  std::size_t large_bodies_bytes_max = 64 * 1024 * 1024;
  // Requests that wait for a result at once; a further request is answered as if its time were up.
  std::size_t waits_max = 10'000;
  // Refuse targets that are not URLs: a server has no registered handlers, so such a branch would
  // wait for ever.
  bool urls_only = true;
  // What query and all tell of URLs and headers.
  Secrets secrets = Secrets::hidden;
  // The engine's default: fills in the values that a request's retry leaves out.
  Retry retry;
  // The engine's default. A request with wait_result is answered at the latest this long plus two
  // seconds later.
  Millis request_timeout{3'000};
  // Told of every such change that was accepted, from any thread; may be empty.
  std::function<void(const AdminChange& change)> on_admin_change{};
};

// The role that a request for this path needs; each role finds out that there is no such path.
Role role_needed(std::string_view method, std::string_view path);

class Service {
 public:
  // `db_path` is the engine's state file, which queries read directly. The engine must be started
  // and must outlive the service. Errors: those of Reader::open; resources (no thread is left).
  static Result<std::unique_ptr<Service>> make(Engine& engine, const std::string& db_path,
                                               const ServiceOptions& options);
  // Waits for the reads in progress; requests not yet answered get 503.
  ~Service();

  // From any thread. `respond` runs once, from any thread, possibly within this call. `caller`
  // names who asks, and may be empty.
  void handle(http::Request request, http::Respond respond, std::string caller = {});
  Metrics& metrics();

 private:
  class Impl;
  explicit Service(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace belay::protocol
