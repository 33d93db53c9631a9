// A PostgreSQL server for one program: user and database are there, whoever connects is
// trusted, transactions can be prepared.
#pragma once

#include <string>

#include "servers/server_process.h"

namespace belay::servers {

class PostgresServer {
 public:
  // Creates it and starts it.
  explicit PostgresServer(const ServerOptions& options = {});
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;
  ~PostgresServer();

  // For libpq: over the unix socket, and over 127.0.0.1 if the options asked for it.
  std::string conninfo() const;
  std::string tcp_conninfo() const;
  int port() const { return port_; }

  void start();
  void stop();  // as an operator would: connections are cut, all is written
  void kill9();
  // Whatever state it is in, afterwards it accepts connections again.
  void restart();

  const ServerProcess& process() const { return process_; }

 private:
  ServerOptions options_;
  std::string program_;
  int port_;
  ServerProcess process_;
};

}  // namespace belay::servers
