#include "h2/lookup.h"

#include <ares.h>
#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace belay::h2 {
namespace {

// The system's files are read anew after this time, once no look-up is open.
constexpr std::uint64_t kFilesMillisMax = 10'000;
constexpr int kTryMillis = 2'000;
constexpr int kTries = 2;
constexpr std::size_t kAddressesMax = 16;

template <class Any>
Address address_of(const Any& from) {
  Address out;
  std::memcpy(&out.bytes, &from, sizeof from);
  return out;
}

std::vector<Address> addresses_in(const ares_addrinfo& result, std::uint16_t port) {
  std::vector<Address> out;
  for (const auto* node = result.nodes; node != nullptr; node = node->ai_next) {
    if (out.size() == kAddressesMax) break;
    Address address;
    if (node->ai_addrlen > sizeof address.bytes) continue;
    std::memcpy(&address.bytes, node->ai_addr, node->ai_addrlen);
    address.bytes.sin6_port = htons(port);  // at the same place in both kinds
    out.push_back(address);
  }
  return out;
}

}  // namespace

struct Lookup::Query {
  Lookup* lookup;
  std::uint16_t port;
  Found found;
};

std::vector<Address> literal_address(std::string_view host, std::uint16_t port) {
  const std::string text(host);
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  if (inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) return {address_of(v6)};
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  if (inet_aton(text.c_str(), &v4.sin_addr) == 1) return {address_of(v4)};
  return {};
}

Lookup::Lookup(uv_loop_t* loop, Handles& handles)
    : loop_(loop), handles_(&handles, [](void* all) { static_cast<Handles*>(all)->closed(); }) {
  handles.opened();
}

Lookup::~Lookup() = default;

std::string Lookup::begin() {
  const auto now = uv_now(loop_);
  if (open_ == 0 && now - begun_at_ > kFilesMillisMax) channel_.reset();
  if (channel_ != nullptr) return {};
  auto channel = dns::Channel::open(loop_, {.try_ms = kTryMillis, .tries = kTries}, handles_);
  if (!channel) return channel.error().detail;
  channel_ = std::move(*channel);
  begun_at_ = now;
  return {};
}

void Lookup::find(const std::string& host, std::uint16_t port, Found found) {
  if (const auto wrong = begin(); !wrong.empty()) return found({}, wrong);
  ++open_;
  channel_->ask([&](ares_channeldata* channel) {
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = ARES_AI_ADDRCONFIG;
    ares_getaddrinfo(channel, host.c_str(), nullptr, &hints, &Lookup::on_found,
                     new Query{this, port, std::move(found)});
  });
}

void Lookup::on_found(void* data, int status, int, ares_addrinfo* result) noexcept {
  const std::unique_ptr<Query> query(static_cast<Query*>(data));
  auto addresses = result == nullptr ? std::vector<Address>() : addresses_in(*result, query->port);
  if (result != nullptr) ares_freeaddrinfo(result);
  if (status == ARES_EDESTRUCTION) return;
  const std::string error = !addresses.empty()       ? ""
                            : status == ARES_SUCCESS ? "the name has no address"
                                                     : ares_strerror(status);
  query->found(std::move(addresses), error);
  --query->lookup->open_;  // only now: `found` may begin another look-up
}

}  // namespace belay::h2
