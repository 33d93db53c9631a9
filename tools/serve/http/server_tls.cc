#include "serve/http/server_tls.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <limits>

#include "belay/check.h"

namespace belay::http {
namespace {

// GnuTLS only reads the text.
gnutls_datum_t datum_of(const std::string& text) {
  auto* bytes = const_cast<char*>(text.data());
  return {static_cast<unsigned char*>(static_cast<void*>(bytes)),
          static_cast<unsigned>(text.size())};
}

}  // namespace

Result<std::shared_ptr<const TlsIdentity>> TlsIdentity::make(const std::string& cert,
                                                             const std::string& key,
                                                             const std::string& client_ca) {
  const Error wrong{
      ErrorCode::invalid_argument,
      "the TLS certificate, its key or the client authority is no PEM text that fits"};
  for (const auto* text : {&cert, &key, &client_ca})
    if (text->size() > std::numeric_limits<unsigned>::max()) return wrong;
  std::shared_ptr<TlsIdentity> identity(new TlsIdentity(!client_ca.empty()));
  auto& credentials = identity->credentials_;
  if (gnutls_certificate_allocate_credentials(&credentials) < 0) return wrong;
  const auto cert_text = datum_of(cert);
  const auto key_text = datum_of(key);
  if (gnutls_certificate_set_x509_key_mem(credentials, &cert_text, &key_text, GNUTLS_X509_FMT_PEM) <
      0)
    return wrong;
  const auto ca_text = datum_of(client_ca);
  if (!client_ca.empty() &&
      gnutls_certificate_set_x509_trust_mem(credentials, &ca_text, GNUTLS_X509_FMT_PEM) <= 0)
    return wrong;
  return std::shared_ptr<const TlsIdentity>(std::move(identity));
}

TlsIdentity::~TlsIdentity() {
  if (credentials_ != nullptr) gnutls_certificate_free_credentials(credentials_);
}

void TlsIdentity::show_in(gnutls_session_int* session) const {
  BELAY_CHECK(gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials_) == 0);
  if (!asks_clients_) return;
  // The handshake fails without a certificate of the authority that is meant for clients.
  static char purpose[] = GNUTLS_KP_TLS_WWW_CLIENT;
  static gnutls_typed_vdata_st wanted{GNUTLS_DT_KEY_PURPOSE_OID,
                                      static_cast<unsigned char*>(static_cast<void*>(purpose)), 0};
  gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE);
  gnutls_session_set_verify_cert2(session, &wanted, 1, 0);
}

}  // namespace belay::http
