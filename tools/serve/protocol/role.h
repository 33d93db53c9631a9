// What a client may do; each role includes the roles before it.
#pragma once

#include <cstdint>

namespace belay::protocol {

enum class Role : std::uint8_t {
  anybody,  // no token is needed
  metrics,  // read the metrics
  read,     // read transactions and topics
  submit,   // begin and continue transactions
  admin,    // everything else: stop and hurry transactions, change topics
};

constexpr const char* name_of(Role role) {
  switch (role) {
    case Role::anybody: return "anybody";
    case Role::metrics: return "metrics";
    case Role::read: return "read";
    case Role::submit: return "submit";
    case Role::admin: break;
  }
  return "admin";
}

}  // namespace belay::protocol
