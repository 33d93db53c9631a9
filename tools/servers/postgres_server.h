// A PostgreSQL server for one program: a user and a database exist, every client is trusted, and
// transactions can be prepared.
#pragma once

#include <string>

#include "servers/server_process.h"

namespace belay::servers {

class PostgresServer {
 public:
  // Creates the server and starts it.
  explicit PostgresServer(const ServerOptions& options = {});
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;
  ~PostgresServer();

  // For libpq: over the unix socket, and over 127.0.0.1 if the options requested TCP.
  std::string conninfo() const;
  std::string tcp_conninfo() const;
  int port() const { return port_; }

  void start();
  void stop();  // an orderly stop: connections are cut, everything is written
  void kill9();
  // Afterwards the server accepts connections again, whatever its state was before.
  void restart();

  const ServerProcess& process() const { return process_; }

 private:
  ServerOptions options_;
  std::string program_;
  int port_;
  ServerProcess process_;
};

}  // namespace belay::servers
