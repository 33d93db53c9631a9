// A certificate authority for one test, and what it signed; made by the command openssl.
#pragma once

#include <string>

#include "support/process.h"

namespace belay::test {

// Files in PEM. The server's certificate is for 127.0.0.1 and localhost.
class Certificates {
 public:
  Certificates();

  std::string ca() const { return dir_.file("ca.crt"); }
  std::string server() const { return dir_.file("server.crt"); }
  std::string server_key() const { return dir_.file("server.key"); }
  std::string client() const { return dir_.file("client.crt"); }
  std::string client_key() const { return dir_.file("client.key"); }
  static std::string text(const std::string& path);

 private:
  void sign(const std::string& name, const std::string& extensions);

  TempDir dir_;
};

}  // namespace belay::test
