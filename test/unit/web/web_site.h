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

#include "support/process.h"
#include "web/service.h"

namespace belay::test {

using Json = nlohmann::json;

class WebSite {
 public:
  explicit WebSite(const web::ServiceOptions& options = default_options());
  WebSite(const WebSite&) = delete;
  WebSite& operator=(const WebSite&) = delete;
  ~WebSite();

  // Handlers may be named; all times are short.
  static web::ServiceOptions default_options();

  Engine& engine() { return *engine_; }
  web::Service& service() { return *service_; }
  void close_service() { service_.reset(); }

  web::Response ask(web::Request request);
  // "/api/dtmsvr/" before the name.
  web::Response get(std::string_view name, const web::Fields& query = {});
  web::Response post(std::string_view name, const Json& body);
  web::Response post_text(std::string_view name, std::string body);
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
  std::unique_ptr<web::Service> service_;
};

// What an error says.
std::string message_of(const web::Response& response);
// A transaction's body with `more` over it.
Json body(const std::string& gid, std::string_view type, const Json& more = Json::object());
// A saga's steps, each with the compensation "ok".
Json saga(const std::string& gid, const std::vector<std::string>& actions,
          const Json& more = Json::object());
Json msg(const std::string& gid, const std::vector<std::string>& targets,
         const Json& more = Json::object());

}  // namespace belay::test
