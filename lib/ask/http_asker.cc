#include "ask/http_asker.h"

#include <curl/curl.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "base/ascii.h"
#include "belay/check.h"
#include "hook/address.h"
#include "hook/curl_tls.h"

namespace belay::ask {
namespace {

constexpr long kConnectMillis = 5'000;
constexpr std::size_t kRefusedBytesMax = 4 * 1024;  // of an answer that is no yes
constexpr std::string_view kIndexHeader = "x-consul-index:";
constexpr std::size_t kIndexBytesMax = 32;

}  // namespace

class HttpAsker::Exchange final : public names::HttpExchange {
 public:
  Exchange(HttpAsker& asker, names::HttpQuestion question,
           std::function<void(names::HttpAnswer)> done)
      : asker_(asker),
        question_(std::move(question)),
        done_(std::move(done)),
        easy_(curl_easy_init()) {}
  ~Exchange() override;

  bool begin();
  static Exchange& of(CURL* easy);
  void end(CURLcode result);

 private:
  bool add_header(const std::string& line);
  bool set_options();
  std::size_t take(std::string_view part);
  static std::size_t on_body(const char* bytes, std::size_t one, std::size_t size,
                             void* self) noexcept;
  static std::size_t on_header(const char* bytes, std::size_t one, std::size_t size,
                               void* self) noexcept;
  static curl_socket_t on_open(void* self, curlsocktype purpose, curl_sockaddr* address) noexcept;
  static int on_close(void* multi, curl_socket_t fd) noexcept;
  long status() const;
  std::string why(CURLcode result) const;

  HttpAsker& asker_;
  const names::HttpQuestion question_;
  std::function<void(names::HttpAnswer)> done_;
  CURL* const easy_;
  curl_slist* headers_ = nullptr;
  bool is_asking_ = false;
  bool is_too_large_ = false;
  bool is_refused_ = false;
  names::HttpAnswer answer_;
  std::array<char, CURL_ERROR_SIZE> error_{};
};

HttpAsker::Exchange::~Exchange() {
  if (is_asking_) asker_.multi_->remove(easy_);
  asker_.held_bytes_ -= answer_.text.size();
  curl_easy_cleanup(easy_);
  curl_slist_free_all(headers_);
}

HttpAsker::Exchange& HttpAsker::Exchange::of(CURL* easy) {
  void* self = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &self);
  return *static_cast<Exchange*>(self);
}

bool HttpAsker::Exchange::add_header(const std::string& line) {
  auto* longer = curl_slist_append(headers_, line.c_str());
  if (longer != nullptr) headers_ = longer;
  return longer != nullptr;
}

bool HttpAsker::Exchange::set_options() {
  for (const auto& [name, value] : question_.headers) {
    if (!add_header(std::string(name).append(": ").append(value))) return false;
  }
  if (!question_.body.empty()) {
    if (!add_header("Content-Type: application/json")) return false;
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE, static_cast<long>(question_.body.size()));
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, question_.body.c_str());
  }
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
  curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, static_cast<long>(question_.timeout_ms));
  curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, kConnectMillis);
  return curl_easy_setopt(easy_, CURLOPT_URL, question_.url.c_str()) == CURLE_OK;
}

bool HttpAsker::Exchange::begin() {
  if (easy_ == nullptr || !set_options()) return false;
  curl_easy_setopt(easy_, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy_, CURLOPT_QUICK_EXIT, 1L);  // a look-up that hangs must not block the loop
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);  // enough, and simpler
  hook::set_tls(easy_, asker_.options_);
  curl_easy_setopt(easy_, CURLOPT_PROXY, "");
  curl_easy_setopt(easy_, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, error_.data());
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &Exchange::on_body);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &Exchange::on_header);
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy_, CURLOPT_OPENSOCKETFUNCTION, &Exchange::on_open);
  curl_easy_setopt(easy_, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy_, CURLOPT_CLOSESOCKETFUNCTION, &Exchange::on_close);
  curl_easy_setopt(easy_, CURLOPT_CLOSESOCKETDATA, asker_.multi_.get());
  is_asking_ = asker_.multi_->add(easy_);
  return is_asking_;
}

long HttpAsker::Exchange::status() const {
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

// Returns how much was taken; less than all ends the exchange.
std::size_t HttpAsker::Exchange::take(std::string_view part) {
  const bool is_yes = status() == 200;
  if (is_yes && question_.on_part) {
    question_.on_part(part);
    return part.size();
  }
  const auto size = answer_.text.size() + part.size();
  if (!is_yes && size > kRefusedBytesMax) return part.size();  // the beginning is enough
  is_too_large_ =
      size > question_.bytes_max || asker_.held_bytes_ + part.size() > HttpAsker::kHeldBytesMax;
  if (is_too_large_) return 0;
  answer_.text += part;
  asker_.held_bytes_ += part.size();
  return part.size();
}

std::size_t HttpAsker::Exchange::on_body(const char* bytes, std::size_t, std::size_t size,
                                         void* self) noexcept {
  return static_cast<Exchange*>(self)->take({bytes, size});
}

std::size_t HttpAsker::Exchange::on_header(const char* bytes, std::size_t, std::size_t size,
                                           void* self) noexcept {
  const std::string_view line(bytes, size);
  if (!base::starts_with_ignoring_case(line, kIndexHeader)) return size;
  const auto value = base::trimmed(line.substr(kIndexHeader.size()));
  static_cast<Exchange*>(self)->answer_.index = value.substr(0, kIndexBytesMax);
  return size;
}

curl_socket_t HttpAsker::Exchange::on_open(void* data, curlsocktype,
                                           curl_sockaddr* address) noexcept {
  auto& self = *static_cast<Exchange*>(data);
  self.is_refused_ = self.asker_.options_.refuse_link_local && hook::is_link_local(address->addr);
  return self.is_refused_ ? CURL_SOCKET_BAD : self.asker_.multi_->open_socket(*address);
}

int HttpAsker::Exchange::on_close(void* multi, curl_socket_t fd) noexcept {
  return static_cast<hook::Multi*>(multi)->close_socket(fd);
}

std::string HttpAsker::Exchange::why(CURLcode result) const {
  if (is_refused_) return "it has a link-local address, which is not called";
  if (is_too_large_) return "its answer is larger than " + std::to_string(question_.bytes_max);
  return error_[0] != '\0' ? error_.data() : curl_easy_strerror(result);
}

// `done` may destroy this object.
void HttpAsker::Exchange::end(CURLcode result) {
  is_asking_ = false;
  if (result != CURLE_OK) answer_.error = why(result);
  answer_.status = status();
  asker_.held_bytes_ -= answer_.text.size();
  auto answer = std::exchange(answer_, {});
  const auto done = std::move(done_);
  done(std::move(answer));
}

HttpAsker::HttpAsker(const HookOptions& options, std::unique_ptr<hook::Multi> multi)
    : options_(options), multi_(std::move(multi)) {}
HttpAsker::~HttpAsker() = default;

Result<std::unique_ptr<HttpAsker>> HttpAsker::make(const HookOptions& options) {
  static const auto initialized = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialized != CURLE_OK) return Error{ErrorCode::resources, "libcurl does not start"};
  auto multi = hook::Multi::make();
  if (!multi) return multi.error();
  return std::unique_ptr<HttpAsker>(new HttpAsker(options, std::move(*multi)));
}

Result<> HttpAsker::start(uv_loop_s* loop) {
  return multi_->start(loop, [](CURL* easy, CURLcode result) { Exchange::of(easy).end(result); });
}

std::unique_ptr<names::HttpExchange> HttpAsker::ask(names::HttpQuestion question,
                                                    std::function<void(names::HttpAnswer)> done) {
  auto made = std::make_unique<Exchange>(*this, std::move(question), std::move(done));
  if (!made->begin()) return nullptr;
  return made;
}

void HttpAsker::close(std::function<void()> closed) { multi_->close(std::move(closed)); }

}  // namespace belay::ask
