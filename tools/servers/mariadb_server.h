// A MariaDB server for one program: the user `root` has no password and all rights.
#pragma once

#include <string>

#include "servers/server_process.h"

namespace belay::servers {

class MariaDbServer {
 public:
  // Creates the server and starts it.
  explicit MariaDbServer(const ServerOptions& options = {});
  MariaDbServer(const MariaDbServer&) = delete;
  MariaDbServer& operator=(const MariaDbServer&) = delete;
  ~MariaDbServer();

  // In the format of belay/xa.h: over the unix socket, and over 127.0.0.1 if the options requested
  // TCP.
  std::string conninfo() const;
  std::string tcp_conninfo() const;
  std::string socket() const { return process_.file("socket"); }
  std::string user() const { return "root"; }
  int port() const { return port_; }

  void start();
  void stop();  // an orderly stop: connections are cut, everything is written
  void kill9();
  // Afterwards the server accepts connections again, whatever its state was before.
  void restart();

  const ServerProcess& process() const { return process_; }

 private:
  std::string own_temporary_files() const;

  ServerOptions options_;
  int port_;
  ServerProcess process_;
};

}  // namespace belay::servers
