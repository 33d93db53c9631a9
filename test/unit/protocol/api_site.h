// A service before a real engine on a temporary file, asked without a network. Participants answer
// as they are called: "ok", "no", "later" (ongoing) and "mute" (unknown).
#pragma once

#include <belay/belay.h>

#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "serve/protocol/service.h"
#include "support/process.h"

namespace belay::test {

using Json = nlohmann::json;

class ApiSite {
 public:
  explicit ApiSite(const protocol::ServiceOptions& options = default_options());
  ApiSite(const ApiSite&) = delete;
  ApiSite& operator=(const ApiSite&) = delete;
  ~ApiSite();

  // Handlers may be named; all times are short.
  static protocol::ServiceOptions default_options();

  Engine& engine() { return *engine_; }
  protocol::Service& service() { return *service_; }
  void close_service() { service_.reset(); }

  http::Response ask(http::Request request, protocol::Caller caller = {{}, protocol::Role::admin});
  // "/api/belay/v1/" before the path, which is encoded as it is to be sent.
  http::Response admin(std::string_view method, std::string_view path, const Json& body = {},
                       http::Fields headers = {});
  // "/api/dtmsvr/" before the name.
  http::Response get(std::string_view name, const http::Fields& query = {});
  http::Response post(std::string_view name, const Json& body);
  http::Response post_text(std::string_view name, std::string body);
  // The reply of /api/json-rpc.
  Json rpc(std::string_view method, const Json& params);

  // As the table's words say: brings the gid there by requests alone. False: it did not get there.
  bool bring(const std::string& gid, std::string_view type, Status status);
  // Waits for it; false if it is not within ten seconds.
  bool reaches(const std::string& gid, Status status);
  Status status_of(const std::string& gid);
  // Waits until it was called so often; false if it was not within ten seconds.
  bool is_called(const std::string& gid, int times);
  // How often any participant was called for this gid.
  int calls_of(const std::string& gid);

 private:
  static Outcome answer(const Call& call, void* self);

  TempDir dir_;
  std::mutex mutex_;
  std::map<std::string, int> calls_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<protocol::Service> service_;
};

// The body of a JSON answer.
Json object_in(const http::Response& response);
// What an error says.
std::string message_of(const http::Response& response);
// A transaction's body with `more` over it.
Json body(const std::string& gid, std::string_view type, const Json& more = Json::object());
// A saga's steps, each with the compensation "ok".
Json saga(const std::string& gid, const std::vector<std::string>& actions,
          const Json& more = Json::object());
Json msg(const std::string& gid, const std::vector<std::string>& targets,
         const Json& more = Json::object());

}  // namespace belay::test
