#include "h2/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <utility>

namespace belay::h2 {
namespace {

constexpr std::array<unsigned char, 3> kProtocols = {2, 'h', '2'};

// The newest of OpenSSL's errors, in its words; the list is emptied.
std::string openssl_error() {
  std::array<char, 256> text{};
  const auto code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0) return "unknown error";
  const char* reason = ERR_reason_error_string(code);
  if (reason != nullptr) return reason;
  ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

Error unreadable(const std::string& path) {
  return {ErrorCode::storage, "'" + path + "' cannot be used for TLS: " + openssl_error()};
}

bool set_host(SSL* ssl, const std::string& host) {
  auto* checks = SSL_get0_param(ssl);
  if (X509_VERIFY_PARAM_set1_ip_asc(checks, host.c_str()) == 1) return true;
  ERR_clear_error();
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return SSL_set1_host(ssl, host.c_str()) == 1 &&
         SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                  const_cast<char*>(host.c_str())) == 1;
}

bool is_http2(const SSL* ssl) {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl, &name, &size);
  return std::string_view(reinterpret_cast<const char*>(name), size) == "h2";
}

}  // namespace

Result<std::shared_ptr<ssl_ctx_st>> TlsContext::get(std::uint64_t now) {
  if (context_ != nullptr && now - made_at_ < ms_max_) return context_;
  auto made = make();
  if (!made) return made.error();
  context_ = *made;
  made_at_ = now;
  return context_;
}

Result<std::shared_ptr<ssl_ctx_st>> TlsContext::make() const {
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  if (context == nullptr) return Error{ErrorCode::resources, "OpenSSL has no memory"};
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION);  // as HTTP/2 demands
  // Without this OpenSSL would ask for the key's password on the terminal, and stop the loop.
  SSL_CTX_set_default_passwd_cb(context.get(), [](char*, int, int, void*) { return -1; });
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_alpn_protos(context.get(), kProtocols.data(), kProtocols.size());
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  if (files_.ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(context.get());
  } else if (SSL_CTX_load_verify_locations(context.get(), files_.ca_file.c_str(), nullptr) != 1) {
    return unreadable(files_.ca_file);
  }
  if (files_.client_cert_file.empty()) return context;
  if (SSL_CTX_use_certificate_chain_file(context.get(), files_.client_cert_file.c_str()) != 1)
    return unreadable(files_.client_cert_file);
  if (SSL_CTX_use_PrivateKey_file(context.get(), files_.client_key_file.c_str(),
                                  SSL_FILETYPE_PEM) != 1)
    return unreadable(files_.client_key_file);
  return context;
}

std::unique_ptr<Tls> Tls::make(const std::shared_ptr<ssl_ctx_st>& context,
                               const std::string& host) {
  ERR_clear_error();
  auto* ssl = SSL_new(context.get());
  if (ssl == nullptr) return nullptr;
  std::unique_ptr<Tls> made(new Tls(ssl));
  auto* in = BIO_new(BIO_s_mem());
  auto* out = BIO_new(BIO_s_mem());
  if (in == nullptr || out == nullptr) return BIO_free(in), BIO_free(out), nullptr;
  SSL_set_bio(ssl, in, out);  // they are the connection's from now on
  SSL_set_connect_state(ssl);
  if (!set_host(ssl, host) || !made->go_on()) return nullptr;
  return made;
}

Tls::~Tls() { SSL_free(ssl_); }

// True if OpenSSL only wants more bytes.
bool Tls::fail(int result) {
  const int why = SSL_get_error(ssl_, result);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return true;
  const auto verified = SSL_get_verify_result(ssl_);
  if (!is_open_ && verified != X509_V_OK) {
    error_ = std::string("its certificate is refused: ") + X509_verify_cert_error_string(verified);
    ERR_clear_error();
  } else if (why == SSL_ERROR_ZERO_RETURN) {
    error_ = "closed by the peer";
  } else {
    error_ = "TLS failed: " + openssl_error();
  }
  return false;
}

bool Tls::go_on() {
  ERR_clear_error();
  if (is_open_) return true;
  const int result = SSL_do_handshake(ssl_);
  if (result != 1) return fail(result);
  is_open_ = true;
  if (is_http2(ssl_)) return true;
  error_ = "it does not offer HTTP/2 (ALPN h2), which gRPC needs";
  return false;
}

bool Tls::feed(std::string_view bytes, std::string& plain) {
  if (BIO_write(SSL_get_rbio(ssl_), bytes.data(), static_cast<int>(bytes.size())) !=
      static_cast<int>(bytes.size())) {
    error_ = "OpenSSL has no memory";
    return false;
  }
  if (!go_on()) return false;
  if (!is_open_) return true;
  std::array<char, 16 * 1024> part;
  for (;;) {
    const int size = SSL_read(ssl_, part.data(), static_cast<int>(part.size()));
    if (size <= 0) return fail(size);
    plain.append(part.data(), static_cast<std::size_t>(size));
  }
}

bool Tls::write(std::string_view plain) {
  if (plain.empty()) return true;
  ERR_clear_error();
  const int size = SSL_write(ssl_, plain.data(), static_cast<int>(plain.size()));
  return size == static_cast<int>(plain.size()) || (fail(size), false);
}

void Tls::take(std::string& bytes) {
  auto* out = SSL_get_wbio(ssl_);
  const auto waiting = BIO_ctrl_pending(out);
  if (waiting == 0) return;
  const auto old = bytes.size();
  bytes.resize(old + waiting);
  const int size = BIO_read(out, bytes.data() + old, static_cast<int>(waiting));
  bytes.resize(old + static_cast<std::size_t>(size > 0 ? size : 0));
}

}  // namespace belay::h2
