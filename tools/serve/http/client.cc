#include "serve/http/client.h"

#include <curl/curl.h>

#include <memory>
#include <string_view>

#include "base/ascii.h"
#include "base/secrets.h"

namespace belay::http {
namespace {

constexpr std::size_t kResponseBytesMax = 64 * 1024 * 1024;

struct Headers {
  ~Headers() { curl_slist_free_all(list); }
  void add(const std::string& line) { list = curl_slist_append(list, line.c_str()); }
  curl_slist* list = nullptr;
};

std::size_t take_body(char* bytes, std::size_t one, std::size_t size, void* response) noexcept {
  auto& body = static_cast<Response*>(response)->body;
  if (body.size() + size > kResponseBytesMax) return 0;
  body.append(bytes, size);
  return size * one;
}

std::size_t take_header(char* bytes, std::size_t one, std::size_t size, void* response) noexcept {
  const std::string_view line(bytes, size * one);
  auto& headers = static_cast<Response*>(response)->headers;
  if (line.starts_with("HTTP/")) headers.clear();  // a second head follows "100 Continue"
  if (const auto colon = line.find(':'); colon != line.npos) {
    headers.emplace_back(base::trimmed(line.substr(0, colon)),
                         base::trimmed(line.substr(colon + 1)));
  }
  return size * one;
}

void describe(CURL* curl, const ClientRequest& request, Headers& headers) {
  for (const auto& [name, value] : request.headers) headers.add(name + ": " + value);
  headers.add("Expect:");
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);  // a gid may be ".."
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  curl_easy_setopt(curl, CURLOPT_NOBODY, request.method == "HEAD" ? 1L : 0L);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.list);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);  // does not wait for a name look-up that hangs
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  if (!request.body.empty() || request.method == "POST") {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
  }
  if (!request.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, request.ca_file.c_str());
  if (request.cert_file.empty()) return;
  curl_easy_setopt(curl, CURLOPT_SSLCERT, request.cert_file.c_str());
  curl_easy_setopt(curl, CURLOPT_SSLKEY, request.key_file.c_str());
}

// The scheme and the host: a path may be as secret as a password.
std::string origin_of(std::string_view url) {
  const auto scheme_end = url.find("://");
  return base::url_without_secrets(url.substr(0, url.find_first_of("/?#", scheme_end + 3)));
}

}  // namespace

Result<Response> fetch(const ClientRequest& request) {
  if (!is_url(request.url)) {
    return Error{ErrorCode::invalid_argument,
                 "'" + base::url_without_secrets(request.url) + "' is no http or https URL"};
  }
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(),
                                                                 curl_easy_cleanup);
  if (curl == nullptr) return Error{ErrorCode::storage, "libcurl does not start"};
  Headers headers;
  Response response;
  response.content_type.clear();
  char words[CURL_ERROR_SIZE] = "";
  describe(curl.get(), request, headers);
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, words);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &response);
  curl_easy_setopt(curl.get(), CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(curl.get(), CURLOPT_HEADERDATA, &response);
  const auto code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) {
    std::string why = words[0] != '\0' ? words : curl_easy_strerror(code);
    if (code == CURLE_WRITE_ERROR)  // only `take_body` refuses
      why = "it has more than " + std::to_string(kResponseBytesMax) + " bytes";
    const bool bad_url = code == CURLE_URL_MALFORMAT;
    return Error{bad_url ? ErrorCode::invalid_argument : ErrorCode::storage,
                 "no answer from " + origin_of(request.url) + ": " + why};
  }
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  response.status = static_cast<int>(status);
  const char* type = nullptr;
  curl_easy_getinfo(curl.get(), CURLINFO_CONTENT_TYPE, &type);
  if (type != nullptr) response.content_type = type;
  return response;
}

}  // namespace belay::http
