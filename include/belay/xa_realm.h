// Identifies which engine's prepared transactions are meant, see XaOptions::realm.
#pragma once

#include <cstdint>
#include <string>

namespace belay {

enum class XaKind : std::uint8_t { postgresql, mariadb };

// A realm that an engine has used, as the engine's state file stores it.
struct XaRealm {
  XaKind kind{};
  std::string realm;
  std::string participant;  // the name that XaDatabase was given

  bool operator==(const XaRealm&) const = default;
};

}  // namespace belay
