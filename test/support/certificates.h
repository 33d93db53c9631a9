// Certificates for tests, made by the openssl command: an authority, and whom it vouches for.
#pragma once

#include <string>

#include "support/process.h"

namespace belay::test {

class Authority {
 public:
  Authority() { run_openssl({"-keyout", file("ca.key"), "-out", ca(), "-subj", "/CN=authority"}); }

  std::string ca() const { return file("ca.pem"); }
  std::string cert(const std::string& name) const { return file(name + ".pem"); }
  std::string key(const std::string& name) const { return file(name + ".key"); }
  std::string file(const std::string& name) const { return dir_.file(name); }
  // A certificate for 127.0.0.1, or for a client; false if openssl failed.
  bool vouch_for(const std::string& name) const {
    return run_openssl({"-CA", ca(), "-CAkey", file("ca.key"), "-keyout", key(name), "-out",
                        cert(name), "-subj", "/CN=" + name, "-addext",
                        "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=CA:FALSE"});
  }

 private:
  static bool run_openssl(const std::vector<std::string>& more) {
    std::vector<std::string> argv = {
        "/usr/bin/openssl",        "req",    "-x509", "-newkey", "ec", "-pkeyopt",
        "ec_paramgen_curve:P-256", "-nodes", "-days", "2"};
    argv.insert(argv.end(), more.begin(), more.end());
    return run({.argv = argv}).exit_code == 0;
  }

  TempDir dir_;
};

}  // namespace belay::test
