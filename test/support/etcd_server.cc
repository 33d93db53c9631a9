#include "support/etcd_server.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

namespace belay::test {
namespace {

constexpr const char* kEtcd = "/usr/bin/etcd";
constexpr const char* kEtcdctl = "/usr/bin/etcdctl";
constexpr auto kStartLimit = std::chrono::seconds(60);

}  // namespace

EtcdServer::EtcdServer(const Authority* authority) : authority_(authority) {
  REQUIRE_MESSAGE((::access(kEtcd, X_OK) == 0 && ::access(kEtcdctl, X_OK) == 0),
                  "the packages etcd-server and etcd-client");
}

bool EtcdServer::start() {
  const auto client = url();
  const auto peer = "http://127.0.0.1:" + std::to_string(peer_port_);
  std::vector<std::string> argv = {// A test that crashes takes it along.
                                   "/usr/bin/setpriv",
                                   "--pdeathsig",
                                   "KILL",
                                   kEtcd,
                                   "--data-dir",
                                   folder_.file("data" + std::to_string(lives_)),
                                   "--listen-client-urls",
                                   client,
                                   "--advertise-client-urls",
                                   client,
                                   "--listen-peer-urls",
                                   peer,
                                   "--initial-advertise-peer-urls",
                                   peer,
                                   "--initial-cluster",
                                   "default=" + peer};
  if (authority_ != nullptr) {
    argv.insert(argv.end(),
                {"--cert-file", authority_->cert("etcd"), "--key-file", authority_->key("etcd"),
                 "--client-cert-auth", "--trusted-ca-file", authority_->ca()});
  }
  process_ = std::make_unique<Process>(Spawn{.argv = argv, .limit = std::chrono::minutes(10)});
  const auto* serves =
      authority_ != nullptr ? "serving client requests on" : "serving insecure client requests";
  return process_->wait_for_output(serves, kStartLimit);
}

void EtcdServer::kill() {
  process_->kill(SIGKILL);
  process_->wait();
}

void EtcdServer::forget_all() { ++lives_; }

std::string EtcdServer::control(const std::vector<std::string>& words) const {
  std::vector<std::string> argv = {kEtcdctl, "--endpoints", url()};
  if (authority_ != nullptr) {
    argv.insert(argv.end(), {"--cacert", authority_->ca(), "--cert", authority_->cert("etcd"),
                             "--key", authority_->key("etcd")});
  }
  argv.insert(argv.end(), words.begin(), words.end());
  const auto done = run({.argv = argv, .env = {{"ETCDCTL_API", "3"}}});
  REQUIRE_MESSAGE(done.exit_code == 0, done.err);
  return done.out;
}

}  // namespace belay::test
