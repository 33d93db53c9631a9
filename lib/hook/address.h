// Addresses as a host in a URL or a socket has them, in every form. IPv4 addresses are handled as
// IPv6 addresses (::ffff:0:0/96), so that there is one kind.
#pragma once

#include <array>
#include <optional>
#include <string_view>

struct sockaddr;

namespace belay::hook {

using Address = std::array<unsigned char, 16>;
inline constexpr unsigned kAddressBits = 128;

// The address that a URL's host is; nothing if the host is a name. IPv6 has no brackets here. IPv4
// may be written in every way that inet_aton reads ("0xa9fe0101", "169.254.257"), and with dots at
// its end.
std::optional<Address> address_in(std::string_view host);

// True if the first `bits` of both are the same.
bool share_prefix(const Address& a, const Address& b, unsigned bits);

// True for a link-local address and for the metadata service of a cloud, also if an IPv4 address is
// wrapped in an IPv6 address (mapped, compatible, translated, NAT64, 6to4, Teredo).
bool is_link_local(const Address& address);
bool is_link_local(const sockaddr& address);
// True for a host that is such an address, or a name that clouds give it.
bool is_link_local(std::string_view host);

}  // namespace belay::hook
