// dtm's protocol, the admin API, /metrics and /healthz in front of an engine: from a request to its
// response, without sockets. HTTP is one door to it; what has read a request by itself is another.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "belay/engine.h"
#include "payload/current_types.h"
#include "serve/http/message.h"
#include "serve/protocol/calls.h"
#include "serve/protocol/metrics.h"
#include "serve/protocol/role.h"
#include "serve/protocol/secrets.h"

namespace belay::protocol {

// Who sends a request.
struct Caller {
  std::string name{};         // of the token; empty: none was needed
  Role role = Role::anybody;  // what the caller may do
};

// A change that a client with the role admin made. The texts live for the call only.
struct AdminChange {
  std::string_view caller;  // the name of the token; empty: none was needed
  std::string_view peer;    // the address it came from
  std::string_view claim;   // who the client says that it asks for, unproved; may be empty
  std::string_view call;    // the route's name: "forcestop"
  std::string_view gid, topic, target;  // what it is about; each may be empty
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
  // Of the messages that the admin API shows; may be replaced at any time. Null: it shows none.
  std::shared_ptr<tool::CurrentTypes> message_types{};
  // The engine's default: fills in the values that a request's retry leaves out.
  Retry retry;
  // The engine's default. A request with wait_result is answered at the latest this long plus two
  // seconds later.
  Millis request_timeout{3'000};
  // Told of every such change that was accepted, from any thread; may be empty.
  std::function<void(const AdminChange& change)> on_admin_change{};
};

// The role that a request needs; each role finds out that there is no such path.
Role role_needed(const http::Request& request);

// True if the request is for the admin API, whose answers have a form of their own.
bool is_for_admin_api(const http::Request& request);
// Gives an answer that no service made the form of the API that the request is for.
http::Respond in_form(const http::Request& request, http::Respond respond);

class Service {
 public:
  // `db_path` is the engine's state file, which queries read directly. The engine must be started
  // and must outlive the service. Errors: those of Reader::open; resources (no thread is left).
  static Result<std::unique_ptr<Service>> make(Engine& engine, const std::string& db_path,
                                               const ServiceOptions& options);
  // Waits for the reads in progress; requests not yet answered get 503.
  ~Service();

  // From any thread. `respond` runs once, from any thread, possibly within this call.
  void handle(http::Request request, http::Respond respond, Caller caller = {});
  // The same for a request that another door read. `bytes`: of its message, which `read` reads,
  // within this call or, if it is large, later on a thread of the service.
  void call(const DtmMethod& method, std::size_t bytes, std::function<Result<DtmCall>()> read,
            Done done, const Sender& sender);
  // Ends the answers that go on until their clients leave; who may still ask asks again.
  void end_streams();
  // The same, and begins no more of them.
  void close_streams();
  Metrics& metrics();

 private:
  class Impl;
  explicit Service(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace belay::protocol
