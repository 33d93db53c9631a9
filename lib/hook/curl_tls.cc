#include "hook/curl_tls.h"

namespace belay::hook {
namespace {

constexpr long kAuthoritiesSeconds = 60;  // how long a loaded set of authorities is used

const char* text_or_null(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

}  // namespace

void set_tls(CURL* easy, const HookOptions& options) {
  if (!options.ca_file.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, options.ca_file.c_str());
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  }
  // New connections use renewed files; but to read all authorities for each connection would be
  // expensive.
  curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, kAuthoritiesSeconds);
  curl_easy_setopt(easy, CURLOPT_SSLCERT, text_or_null(options.client_cert_file));
  curl_easy_setopt(easy, CURLOPT_SSLKEY, text_or_null(options.client_key_file));
}

}  // namespace belay::hook
