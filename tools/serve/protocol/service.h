// dtm's protocol, /metrics and /healthz in front of an engine: from a request to its response, no
// sockets.
#pragma once

#include <memory>
#include <string>

#include "belay/engine.h"
#include "serve/http/message.h"
#include "serve/protocol/metrics.h"

namespace belay::protocol {

struct ServiceOptions {
  std::string version;  // what GET /api/dtmsvr/version says
  // Of query, all, prepareWorkflow and all about topics; more get 503.
  std::size_t reads_queued_max = 1'024;
  unsigned read_threads = 2;
  // Of the bodies beyond 64 KiB that wait to be read and the one being read; more get 503. They are
  // read one after the other, on a thread of the service's own.
  std::size_t large_bodies_bytes_max = 64 * 1024 * 1024;
  // Requests that wait for a result at once; one more is answered as if its time were up.
  std::size_t waits_max = 10'000;
  // Refuse targets that are no URLs: nobody registers handlers in a server, they would wait for
  // ever.
  bool urls_only = true;
  // The engine's own: what a request leaves out of its retry is filled in from there …
  Retry retry;
  // … and a request with wait_result is answered this and two seconds later at the latest.
  Millis request_timeout{3'000};
};

class Service {
 public:
  // `db_path`: the engine's state file, which queries read beside it. The engine is started and
  // outlives this. Errors: those of Reader::open, storage
  // (no thread is left).
  static Result<std::unique_ptr<Service>> make(Engine& engine, const std::string& db_path,
                                               const ServiceOptions& options);
  // Waits for reads under way; requests not yet answered are answered 503.
  ~Service();

  // From any thread. `respond` runs once, from any thread, possibly within this call.
  void handle(http::Request request, http::Respond respond);
  Metrics& metrics();

 private:
  class Impl;
  explicit Service(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace belay::protocol
