// One call in flight: a curl handle with the options that never change, the request, and the
// response. Transfers are kept and reused.
#pragma once

#include <curl/curl.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "belay/hooks.h"
#include "hook/calls.h"
#include "hook/http_request.h"
#include "hook/http_response.h"
#include "hook/multi.h"
#include "hook/proxy.h"

namespace belay::hook {

class Transfer {
 public:
  // All arguments must outlive the transfer. Null: there is no memory.
  static std::unique_ptr<Transfer> make(const HookOptions& options, const Proxies& proxies,
                                        Multi& multi, KeptBytes& kept);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer();

  // To be set for each call.
  Placed placed;
  std::size_t index = 0;  // among the calls in flight
  HttpRequest request;

  CURL* easy() const { return easy_; }
  static Transfer& of(CURL* easy);

  // Hands `request` to curl; `timeout` covers the whole call.
  void begin(std::uint64_t now_ms, Millis timeout);

  // The meaning of curl's result; nothing if the response was a redirect and the handle must be
  // added again.
  std::optional<CallEnd> end(CURLcode result, std::uint64_t now_ms);
  // To be called after the end, before the transfer is reused.
  void rest();

 private:
  static std::size_t on_body(const char* bytes, std::size_t one, std::size_t size,
                             void* self) noexcept;
  static std::size_t on_header(const char* bytes, std::size_t one, std::size_t size,
                               void* self) noexcept;
  static curl_socket_t on_open(void* self, curlsocktype purpose, curl_sockaddr* address) noexcept;
  static int on_close(void* multi, curl_socket_t fd) noexcept;

  Transfer(const HookOptions& options, const Proxies& proxies, Multi& multi, KeptBytes& kept,
           CURL* easy);
  void set_fixed();
  void set_proxy();
  void hand_over(Millis timeout);
  long status() const;
  bool was_sent() const;
  std::string why(CURLcode result) const;
  CallEnd answered() const;
  std::optional<CallEnd> follow(std::uint64_t now_ms);

  const HookOptions& options_;
  const Proxies& proxies_;
  Multi& multi_;
  CURL* easy_;
  HttpResponse answer_;
  std::vector<curl_slist> headers_;
  std::size_t header_bytes_ = 0;
  bool refused_address_ = false;
  bool lacked_descriptor_ = false;
  int redirects_ = 0;
  Millis timeout_{};
  std::uint64_t give_up_at_ = 0;
  std::array<char, CURL_ERROR_SIZE> error_{};
};

}  // namespace belay::hook
