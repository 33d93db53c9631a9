// TLS over bytes, without a socket, by OpenSSL. HTTP/2 is agreed on by ALPN, and the peer's
// certificate must be valid for the host.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "belay/result.h"

struct ssl_ctx_st;
struct ssl_st;

namespace belay::h2 {

struct TlsFiles {
  std::string ca_file;  // PEM; empty: the system's certificates
  std::string client_cert_file;
  std::string client_key_file;
};

// What all connections share. It is made anew from its files once it is `ms_max` old.
class TlsContext {
 public:
  TlsContext(TlsFiles files, std::uint64_t ms_max) : files_(std::move(files)), ms_max_(ms_max) {}
  // `now` in ms. Errors: storage (a file cannot be read), resources.
  Result<std::shared_ptr<ssl_ctx_st>> get(std::uint64_t now);

 private:
  Result<std::shared_ptr<ssl_ctx_st>> make() const;

  const TlsFiles files_;
  const std::uint64_t ms_max_;
  std::shared_ptr<ssl_ctx_st> context_;
  std::uint64_t made_at_ = 0;
};

class Tls {
 public:
  // Null: there is no memory. `host`: a name or an address, without brackets.
  static std::unique_ptr<Tls> make(const std::shared_ptr<ssl_ctx_st>& context,
                                   const std::string& host);
  Tls(const Tls&) = delete;
  Tls& operator=(const Tls&) = delete;
  ~Tls();

  // Takes what came from the peer and appends what it holds. False: `error` says what is wrong.
  bool feed(std::string_view bytes, std::string& plain);
  // Only once it is open.
  bool write(std::string_view plain);
  // Appends what is to be sent to the peer.
  void take(std::string& bytes);

  bool is_open() const { return is_open_; }
  const std::string& error() const { return error_; }

 private:
  explicit Tls(ssl_st* ssl) : ssl_(ssl) {}
  bool fail(int result);
  bool go_on();

  ssl_st* ssl_;
  bool is_open_ = false;
  std::string error_;
};

}  // namespace belay::h2
