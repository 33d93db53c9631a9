#include "hook/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "base/ascii.h"

namespace belay::hook {
namespace {

struct Prefix {
  Address address;
  unsigned bits;
};

constexpr Address mapped(unsigned char a, unsigned char b, unsigned char c, unsigned char d) {
  return {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d};
}

constexpr std::array<Prefix, 8> kRefused = {{
    {mapped(169, 254, 0, 0), 112},
    {mapped(100, 100, 100, 200), 128},  // Alibaba
    {mapped(168, 63, 129, 16), 128},    // Azure
    {mapped(192, 0, 0, 192), 128},      // Oracle
    {{0xfe, 0x80}, 10},
    {{0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54}, 128},  // AWS
    {{0xfd, 0x20, 0x00, 0xce, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54}, 128},  // Google
    {{0xfd, 0x00, 0x00, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x00, 0x42}, 128},  // Scaleway
}};

constexpr std::array<std::string_view, 3> kMetadataNames = {
    "metadata.google.internal", "metadata.goog", "instance-data.ec2.internal"};

// IPv6 prefixes whose addresses contain an IPv4 address, and the places of its four bytes.
struct Wrapper {
  Prefix prefix;
  std::array<std::size_t, 4> at;
  unsigned char flip = 0;  // the bytes are stored combined with this one
};
constexpr Prefix kLocalNat64 = {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48};
constexpr std::array<Wrapper, 10> kWrappers = {{
    {{{}, 96}, {12, 13, 14, 15}},                                    // compatible
    {{{0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96}, {12, 13, 14, 15}},  // translated
    {{{0x00, 0x64, 0xff, 0x9b}, 96}, {12, 13, 14, 15}},              // NAT64
    {kLocalNat64, {6, 7, 9, 10}},                                    // of /48
    {kLocalNat64, {7, 9, 10, 11}},                                   // of /56
    {kLocalNat64, {9, 10, 11, 12}},                                  // of /64
    {kLocalNat64, {12, 13, 14, 15}},                                 // of /96
    {{{0x20, 0x02}, 16}, {2, 3, 4, 5}},                              // 6to4
    {{{0x20, 0x01}, 32}, {4, 5, 6, 7}},                              // Teredo: server
    {{{0x20, 0x01}, 32}, {12, 13, 14, 15}, 0xff},                    // and client
}};

bool is_refused(const Address& address) {
  return std::any_of(kRefused.begin(), kRefused.end(), [&](const Prefix& prefix) {
    return share_prefix(address, prefix.address, prefix.bits);
  });
}

Address unwrapped(const Wrapper& wrapper, const Address& address) {
  auto inner = mapped(0, 0, 0, 0);
  for (std::size_t i = 0; i < wrapper.at.size(); ++i)
    inner[12 + i] = address[wrapper.at[i]] ^ wrapper.flip;
  return inner;
}

Address mapped_from(const in_addr& v4) {
  std::array<unsigned char, 4> bytes{};
  std::memcpy(bytes.data(), &v4, bytes.size());
  return mapped(bytes[0], bytes[1], bytes[2], bytes[3]);
}

std::string_view without_dots(std::string_view host) {
  return host.substr(0, host.find_last_not_of('.') + 1);
}

}  // namespace

std::optional<Address> address_in(std::string_view host) {
  if (host.find(':') != std::string_view::npos) {
    Address v6{};
    if (inet_pton(AF_INET6, std::string(host).c_str(), v6.data()) != 1) return std::nullopt;
    return v6;
  }
  in_addr v4{};
  if (inet_aton(std::string(without_dots(host)).c_str(), &v4) == 0) return std::nullopt;
  return mapped_from(v4);
}

bool share_prefix(const Address& a, const Address& b, unsigned bits) {
  const auto whole = bits / 8;
  if (!std::equal(a.begin(), a.begin() + whole, b.begin())) return false;
  const auto rest = bits % 8;
  return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

bool is_link_local(const Address& address) {
  return is_refused(address) ||
         std::any_of(kWrappers.begin(), kWrappers.end(), [&](const Wrapper& wrapper) {
           return share_prefix(address, wrapper.prefix.address, wrapper.prefix.bits) &&
                  is_refused(unwrapped(wrapper, address));
         });
}

bool is_link_local(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    return is_link_local(mapped_from(v4.sin_addr));
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof v6);
    Address bytes{};
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    return is_link_local(bytes);
  }
  return false;
}

bool is_link_local(std::string_view host) {
  if (const auto address = address_in(host)) return is_link_local(*address);
  const auto name = without_dots(host);
  return std::any_of(kMetadataNames.begin(), kMetadataNames.end(),
                     [&](auto known) { return base::equal_ignoring_case(name, known); });
}

}  // namespace belay::hook
