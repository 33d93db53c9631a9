#include "support/certificates.h"

#include <fstream>
#include <iterator>
#include <vector>

#include "belay/check.h"

namespace belay::test {
namespace {

void openssl(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"/usr/bin/env", "openssl"});
  BELAY_CHECK(run({.argv = std::move(arguments)}).exit_code == 0);
}

// Keys on a curve: made in no time.
const std::vector<std::string> kNewKey = {
    "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-sha256"};

}  // namespace

Certificates::Certificates() {
  auto arguments = kNewKey;
  arguments.insert(arguments.end(), {"-x509", "-days", "2", "-subj", "/CN=test authority",
                                     "-keyout", dir_.file("ca.key"), "-out", ca()});
  openssl(arguments);
  sign("server", "subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n");
  sign("client", "extendedKeyUsage=clientAuth\n");
}

void Certificates::sign(const std::string& name, const std::string& extensions) {
  const auto request = dir_.file(name + ".csr");
  auto arguments = kNewKey;
  arguments.insert(arguments.end(),
                   {"-subj", "/CN=" + name, "-keyout", dir_.file(name + ".key"), "-out", request});
  openssl(arguments);
  std::ofstream(dir_.file(name + ".ext")) << extensions;
  openssl({"x509", "-req", "-in", request, "-CA", ca(), "-CAkey", dir_.file("ca.key"),
           "-CAcreateserial", "-days", "2", "-sha256", "-extfile", dir_.file(name + ".ext"), "-out",
           dir_.file(name + ".crt")});
}

std::string Certificates::text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace belay::test
