// `belay serve` on a file and a port of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "serve/http/client.h"
#include "support/free_port.h"
#include "support/process.h"

namespace belay::test {

// The program under test, with no option from this process's environment.
Spawn belay_spawn(std::vector<std::string> arguments,
                  std::vector<std::pair<std::string, std::string>> env = {});

class Served {
 public:
  using Env = std::vector<std::pair<std::string, std::string>>;
  explicit Served(std::vector<std::string> flags = {}, Env env = {});

  bool listening() { return process_->wait_for_output("listening", std::chrono::seconds(20)); }
  Process& process() { return *process_; }
  const std::string& db() const { return db_; }
  std::uint16_t port() const { return port_; }
  std::string url(const std::string& path, const std::string& scheme = "http") const {
    return scheme + "://127.0.0.1:" + std::to_string(port_) + path;
  }
  Result<http::Response> get(const std::string& path, http::Fields headers = {}) const {
    return http::fetch({.url = url(path), .headers = std::move(headers)});
  }
  Result<http::Response> submit(const std::string& body) const {
    return http::fetch({.method = "POST", .url = url("/api/dtmsvr/submit"), .body = body});
  }
  // SIGTERM, and its end.
  Finished stop();

 private:
  TempDir dir_;
  std::string db_ = dir_.file("state.db");
  std::uint16_t port_ = free_port();
  std::unique_ptr<Process> process_;
};

inline int status_of(const Result<http::Response>& response) {
  return response ? response->status : 0;
}

// A saga of one branch.
std::string saga_to(const std::string& gid, const std::string& action,
                    const std::string& more = "");

}  // namespace belay::test
