#include "servers/mariadb_server.h"

#include <signal.h>

namespace belay::servers {
namespace {

std::string mariadb_program(const std::string& name) {
  return find_program({"/usr/sbin/" + name, "/usr/bin/" + name, "/usr/local/bin/" + name});
}

const std::vector<std::string> kSmall{"--innodb-log-file-size=8M", "--innodb-buffer-pool-size=16M",
                                      "--innodb-temp-data-file-path="
                                      "ibtmp1:4M:autoextend"};

}  // namespace

MariaDbServer::MariaDbServer(const ServerOptions& options)
    : options_(options), port_(options.tcp ? free_port() : 3306), process_(options.folder) {
  std::vector<std::string> argv{mariadb_program("mariadb-install-db"),
                                "--no-defaults",
                                "--auth-root-authentication-method=normal",
                                "--skip-test-db",
                                "--skip-name-resolve",
                                "--innodb-flush-log-at-trx-commit=0",
                                "--innodb-flush-method=nosync"};
  argv.insert(argv.end(), kSmall.begin(), kSmall.end());
  argv.push_back(own_temporary_files());
  process_.make_data(argv, "--datadir=");
  start();
}

MariaDbServer::~MariaDbServer() {
  try {
    stop();
  } catch (const std::exception&) {  // the server is killed then, and the folder is removed
  }
}

std::string MariaDbServer::conninfo() const { return "socket=" + socket() + " user=" + user(); }

std::string MariaDbServer::tcp_conninfo() const {
  return "host=127.0.0.1 port=" + std::to_string(port_) + " user=" + user();
}

void MariaDbServer::start() {
  std::vector<std::string> argv{
      mariadb_program("mariadbd"), "--no-defaults", "--datadir=" + process_.file("data"),
      "--socket=" + socket(), "--pid-file=" + process_.file("pid"), "--skip-name-resolve",
      options_.tcp ? "--bind-address=127.0.0.1" : "--skip-networking",
      "--port=" + std::to_string(port_),
      // 2 survives a killed server, but not a power cut.
      options_.durable ? "--innodb-flush-log-at-trx-commit=1"
                       : "--innodb-flush-log-at-trx-commit=2",
      options_.durable ? "--innodb-flush-method=fsync" : "--innodb-flush-method=nosync",
      options_.read_committed ? "--transaction-isolation=READ-COMMITTED"
                              : "--transaction-isolation=REPEATABLE-READ",
      "--innodb-fast-shutdown=2", "--performance-schema=OFF"};
  argv.insert(argv.end(), kSmall.begin(), kSmall.end());
  argv.push_back(own_temporary_files());
  process_.start(argv, "ready for connections", SIGKILL);
}

// A starting server deletes files from a shared folder that look like remains of another server.
std::string MariaDbServer::own_temporary_files() const { return "--tmpdir=" + process_.folder(); }

void MariaDbServer::stop() { process_.stop(SIGTERM); }

void MariaDbServer::kill9() { process_.kill9(); }

void MariaDbServer::restart() {
  stop();
  start();
}

}  // namespace belay::servers
