// What a response's headers say about its body: how it is packed, and which letters it is written
// in. What they say is read, or the body is not.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "hook/unpacker.h"

namespace belay::hook {

class ResponseHead {
 public:
  void begin();
  // One line as it came, its end included; a status line begins anew.
  void take(std::string_view line);

  // Nothing: the body's packing is one that cannot be undone. Then `flaw` says so.
  std::optional<Packing> packing() const;
  // Why a body with these headers cannot be read; empty if it can.
  std::string flaw() const;

 private:
  void end_line();

  std::string line_;  // of the three that are read here, with what continues it
  std::string encoding_;
  std::string transfer_;
  std::string type_;
};

}  // namespace belay::hook
