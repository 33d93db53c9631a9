// A gRPC service of gRPC C++ on loopback, for what only a real one shows: TLS, and how it speaks.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace belay::test {

class GrpcService {
 public:
  struct Tls {
    std::string cert, key;  // PEM
    std::string client_ca;  // empty: clients need no certificate
  };

  // Says OK to every call of every method.
  explicit GrpcService(const Tls* tls = nullptr);
  GrpcService(const GrpcService&) = delete;
  GrpcService& operator=(const GrpcService&) = delete;
  ~GrpcService();

  std::string target(std::string_view scheme, std::string_view host = "127.0.0.1") const;
  int calls() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace belay::test
