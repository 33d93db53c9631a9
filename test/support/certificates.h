// Certificates for tests, made by the openssl command: an authority, and whom it vouches for.
#pragma once

#include <string>

#include "support/process.h"

namespace belay::test {

class Authority {
 public:
  Authority() {
    run_openssl(kEllipticKey, {"-keyout", file("ca.key"), "-out", ca(), "-subj", "/CN=authority"});
  }

  std::string ca() const { return file("ca.pem"); }
  std::string cert(const std::string& name) const { return file(name + ".pem"); }
  std::string key(const std::string& name) const { return file(name + ".key"); }
  std::string file(const std::string& name) const { return dir_.file(name); }
  // A certificate for 127.0.0.1, or for a client; false if openssl failed.
  bool vouch_for(const std::string& name) const { return vouch_for(name, kEllipticKey); }
  // The same with a key that can also encrypt.
  bool vouch_for_rsa(const std::string& name) const { return vouch_for(name, {"rsa:2048"}); }

 private:
  using Words = std::vector<std::string>;
  static inline const Words kEllipticKey = {"ec", "-pkeyopt", "ec_paramgen_curve:P-256"};

  bool vouch_for(const std::string& name, const Words& new_key) const {
    return run_openssl(
        new_key, {"-CA", ca(), "-CAkey", file("ca.key"), "-keyout", key(name), "-out", cert(name),
                  "-subj", "/CN=" + name, "-addext", "subjectAltName=IP:127.0.0.1", "-addext",
                  "basicConstraints=CA:FALSE"});
  }
  static bool run_openssl(const Words& new_key, const Words& more) {
    Words argv = {"/usr/bin/openssl", "req", "-x509", "-nodes", "-days", "2", "-newkey"};
    argv.insert(argv.end(), new_key.begin(), new_key.end());
    argv.insert(argv.end(), more.begin(), more.end());
    return run({.argv = argv}).exit_code == 0;
  }

  TempDir dir_;
};

}  // namespace belay::test
