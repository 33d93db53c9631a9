#include "hook/transfer.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/descriptor.h"
#include "belay/version.h"
#include "hook/address.h"
#include "hook/curl_tls.h"
#include "hook/url.h"

namespace belay::hook {
namespace {

constexpr int kRedirectsMax = 5;
constexpr std::size_t kHeaderBytesMax = 256 * 1024;  // the headers of one response

const std::string& user_agent() {
  static const auto text = "belay/" + std::to_string(BELAY_VERSION_MAJOR) + "." +
                           std::to_string(BELAY_VERSION_MINOR) + "." +
                           std::to_string(BELAY_VERSION_PATCH);
  return text;
}

bool is_redirect(long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// The answer of a host, or of the proxy in front of it, when the service behind it is not
// available.
bool says_absent(long status) { return status == 502 || status == 503 || status == 504; }

}  // namespace

std::unique_ptr<Transfer> Transfer::make(const HookOptions& options, const Proxies& proxies,
                                         Multi& multi, KeptBytes& kept) {
  auto* easy = curl_easy_init();
  return std::unique_ptr<Transfer>(
      easy == nullptr ? nullptr : new Transfer(options, proxies, multi, kept, easy));
}

Transfer::Transfer(const HookOptions& options, const Proxies& proxies, Multi& multi,
                   KeptBytes& kept, CURL* easy)
    : options_(options), proxies_(proxies), multi_(multi), easy_(easy), answer_(kept) {
  set_fixed();
}

Transfer::~Transfer() { curl_easy_cleanup(easy_); }

void Transfer::set_fixed() {
  curl_easy_setopt(easy_, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  // A name look-up that hangs must not block the loop when its call is given up.
  curl_easy_setopt(easy_, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
  set_tls(easy_, options_);
  curl_easy_setopt(easy_, CURLOPT_FOLLOWLOCATION, 0L);  // redirects are followed in `follow`
  curl_easy_setopt(easy_, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy_, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy_, CURLOPT_USERAGENT, user_agent().c_str());
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, error_.data());
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy_, CURLOPT_OPENSOCKETFUNCTION, &Transfer::on_open);
  curl_easy_setopt(easy_, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy_, CURLOPT_CLOSESOCKETFUNCTION, &Transfer::on_close);
  curl_easy_setopt(easy_, CURLOPT_CLOSESOCKETDATA, &multi_);
  curl_easy_setopt(easy_, CURLOPT_NOPROXY, "");
}

// The environment decides nothing here: `proxies_` has read it.
void Transfer::set_proxy() {
  const auto url = proxies_.any() ? parse_url(request.url()) : Error{};
  curl_easy_setopt(easy_, CURLOPT_PROXY, url ? proxies_.of(*url).c_str() : "");
}

Transfer& Transfer::of(CURL* easy) {
  void* self = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &self);
  return *static_cast<Transfer*>(self);
}

void Transfer::begin(std::uint64_t now_ms, Millis timeout) {
  redirects_ = 0;
  timeout_ = timeout;
  give_up_at_ = now_ms + static_cast<std::uint64_t>(timeout.count());
  // The list belongs to this object: curl only reads it.
  headers_.resize(request.header_count());
  for (std::size_t i = 0; i < headers_.size(); ++i) {
    headers_[i].data = const_cast<char*>(request.header(i));
    headers_[i].next = i + 1 < headers_.size() ? &headers_[i + 1] : nullptr;
  }
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_.data());
  hand_over(timeout);
}

void Transfer::hand_over(Millis timeout) {
  answer_.begin(options_.response_bytes_max, request.rpc_id());
  header_bytes_ = 0;
  refused_address_ = lacked_descriptor_ = false;
  error_[0] = '\0';
  curl_easy_setopt(easy_, CURLOPT_URL, request.url().c_str());
  set_proxy();
  curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  // To wait for a shared HTTP/2 connection makes sense only if HTTP/2 is possible.
  curl_easy_setopt(easy_, CURLOPT_PIPEWAIT, request.url().starts_with("https") ? 1L : 0L);
  if (request.is_post()) {
    curl_easy_setopt(easy_, CURLOPT_POST, 1L);
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body().size()));
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, request.body().c_str());
  } else {
    curl_easy_setopt(easy_, CURLOPT_HTTPGET, 1L);
  }
}

std::size_t Transfer::on_body(const char* bytes, std::size_t, std::size_t size,
                              void* self) noexcept {
  return static_cast<Transfer*>(self)->answer_.take({bytes, size}) ? size : 0;
}

std::size_t Transfer::on_header(const char* bytes, std::size_t, std::size_t size,
                                void* data) noexcept {
  auto& self = *static_cast<Transfer*>(data);
  self.header_bytes_ += size;
  self.answer_.take_head({bytes, size});
  return self.header_bytes_ <= kHeaderBytesMax ? size : 0;
}

curl_socket_t Transfer::on_open(void* data, curlsocktype, curl_sockaddr* address) noexcept {
  auto& self = *static_cast<Transfer*>(data);
  if (self.options_.refuse_link_local && is_link_local(address->addr)) {
    self.refused_address_ = true;
    return CURL_SOCKET_BAD;
  }
  const auto fd = self.multi_.open_socket(*address);
  self.lacked_descriptor_ = fd == CURL_SOCKET_BAD && base::is_shortage(errno);
  return fd;
}

int Transfer::on_close(void* multi, curl_socket_t fd) noexcept {
  return static_cast<Multi*>(multi)->close_socket(fd);
}

long Transfer::status() const {
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

// False: the host cannot have received any part of the call. A request to a proxy counts as a part:
// what became of it behind the proxy is not known. So does a request that was redirected.
bool Transfer::was_sent() const {
  long request_bytes = 0;
  curl_easy_getinfo(easy_, CURLINFO_REQUEST_SIZE, &request_bytes);
  return request_bytes != 0 || redirects_ != 0;
}

std::string Transfer::why(CURLcode result) const {
  if (refused_address_) return "the host has a link-local address, which is not called";
  if (header_bytes_ > kHeaderBytesMax)
    return "the response's headers are larger than " + std::to_string(kHeaderBytesMax) + " bytes";
  const std::string what = was_sent() ? "no answer" : "no connection";
  if (result == CURLE_OPERATION_TIMEDOUT)
    return what + " within " + std::to_string(timeout_.count()) + " ms";
  return what + ": " + (error_[0] != '\0' ? error_.data() : curl_easy_strerror(result));
}

// Some versions of curl count, over all calls of a handle, how often the handle found its
// connection closed, and give up at five. A call that made a new connection may have increased this
// count, so the handle is reset.
void Transfer::rest() {
  request.rest();
  answer_.forget();
  long connects = 0;
  curl_easy_getinfo(easy_, CURLINFO_NUM_CONNECTS, &connects);
  if (connects == 0) return;
  curl_easy_reset(easy_);
  set_fixed();
}

std::optional<CallEnd> Transfer::end(CURLcode result, std::uint64_t now_ms) {
  if (answer_.given_up()) return answered();
  // If the system had no descriptor for the call, the host did nothing wrong.
  const bool is_short =
      lacked_descriptor_ || (result == CURLE_COULDNT_RESOLVE_HOST && multi_.lacks_descriptors());
  if (result != CURLE_OK && is_short)
    return CallEnd{Host::End::not_made,
                   Outcome::unknown("no file descriptor is left: " + why(result))};
  if (result != CURLE_OK) {
    return CallEnd{was_sent() ? Host::End::silent : Host::End::unreached,
                   Outcome::unknown(why(result))};
  }
  return is_redirect(status()) ? follow(now_ms) : answered();
}

CallEnd Transfer::answered() const {
  const auto code = status();
  return {says_absent(code) ? Host::End::silent : Host::End::answered, answer_.outcome(code)};
}

// Follows a redirect only to the same host: another host was not checked, and must not see the data
// for this one.
std::optional<CallEnd> Transfer::follow(std::uint64_t now_ms) {
  const auto code = status();
  const char* to = nullptr;
  curl_easy_getinfo(easy_, CURLINFO_REDIRECT_URL, &to);
  if (to == nullptr) return answered();
  const std::string next(to);
  const auto old_url = parse_url(request.url());
  const auto new_url = parse_url(next);
  if (!old_url || !new_url || !same_host(*old_url, *new_url))
    return CallEnd{Host::End::answered, Outcome::unknown("redirect to another host: " + next)};
  // Without its payload the redirected request may lead to a page that answers 200 to anything,
  // which would count as success.
  const bool keeps_payload = code == 307 || code == 308 || !request.is_post();
  if (!keeps_payload)
    return CallEnd{Host::End::answered, Outcome::unknown("redirect without the payload: " + next)};
  if (!request.is_post() && new_url->query != old_url->query)
    return CallEnd{Host::End::answered,
                   Outcome::unknown("redirect without the call's query: " + next)};
  if (++redirects_ > kRedirectsMax) {
    return CallEnd{Host::End::answered,
                   Outcome::unknown("more than " + std::to_string(kRedirectsMax) + " redirects")};
  }
  if (now_ms >= give_up_at_)
    return CallEnd{Host::End::silent, Outcome::unknown(why(CURLE_OPERATION_TIMEDOUT))};
  request.go_to(next);
  hand_over(Millis(static_cast<std::int64_t>(give_up_at_ - now_ms)));
  return std::nullopt;
}

}  // namespace belay::hook
