// The identity of a server for its TLS clients, and the check of those clients: a certificate, its
// key, and the authority of the clients' certificates. It may be replaced while the server runs.
// Internal to the HTTP server.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "belay/result.h"

struct gnutls_session_int;
struct gnutls_certificate_credentials_st;

namespace belay::http {

class TlsIdentity {
 public:
  // PEM texts; with an empty `client_ca` no certificate is requested from clients. Errors:
  // invalid_argument.
  static Result<std::shared_ptr<const TlsIdentity>> make(const std::string& cert,
                                                         const std::string& key,
                                                         const std::string& client_ca);
  TlsIdentity(const TlsIdentity&) = delete;
  TlsIdentity& operator=(const TlsIdentity&) = delete;
  ~TlsIdentity();

  // To be called before the session's handshake; this object must outlive the session.
  void show_in(gnutls_session_int* session) const;

 private:
  explicit TlsIdentity(bool asks_clients) : asks_clients_(asks_clients) {}

  const bool asks_clients_;
  gnutls_certificate_credentials_st* credentials_ = nullptr;
};

// The identity that new connections get. Thread-safe; empty: the server uses no TLS.
class CurrentIdentity {
 public:
  void replace(std::shared_ptr<const TlsIdentity> identity) {
    const base::Lock lock(mutex_);
    identity_ = std::move(identity);
    newest_ = identity_.get();
  }
  std::shared_ptr<const TlsIdentity> get() const {
    const base::Lock lock(mutex_);
    return identity_;
  }
  bool is(const TlsIdentity* identity) const { return newest_ == identity; }

 private:
  mutable base::Mutex mutex_;
  std::shared_ptr<const TlsIdentity> identity_ BELAY_GUARDED_BY(mutex_);
  std::atomic<const TlsIdentity*> newest_ = nullptr;
};

}  // namespace belay::http
