// Whose prepared transactions they are: see XaOptions::realm.
#pragma once

#include <cstdint>
#include <string>

namespace belay {

enum class XaKind : std::uint8_t { postgresql, mariadb };

// A realm that an engine has used, as its state file remembers it.
struct XaRealm {
  XaKind kind{};
  std::string realm;
  std::string participant;  // the name that XaDatabase was given

  bool operator==(const XaRealm&) const = default;
};

}  // namespace belay
