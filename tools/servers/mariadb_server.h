// A MariaDB server for one program: the user `root` has no password and may everything.
#pragma once

#include <string>

#include "servers/server_process.h"

namespace belay::servers {

class MariaDbServer {
 public:
  // Creates it and starts it.
  explicit MariaDbServer(const ServerOptions& options = {});
  MariaDbServer(const MariaDbServer&) = delete;
  MariaDbServer& operator=(const MariaDbServer&) = delete;
  ~MariaDbServer();

  // As belay/xa.h wants it: over the unix socket, and over 127.0.0.1 if the options asked for it.
  std::string conninfo() const;
  std::string tcp_conninfo() const;
  std::string socket() const { return process_.file("socket"); }
  std::string user() const { return "root"; }
  int port() const { return port_; }

  void start();
  void stop();  // as an operator would: connections are cut, all is written
  void kill9();
  // Whatever state it is in, afterwards it accepts connections again.
  void restart();

  const ServerProcess& process() const { return process_; }

 private:
  std::string own_temporary_files() const;

  ServerOptions options_;
  int port_;
  ServerProcess process_;
};

}  // namespace belay::servers
