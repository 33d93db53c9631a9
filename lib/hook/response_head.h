// Reads what a response's headers say about its body: how it is compressed, and in which charset it
// is written. If the headers name anything unknown, the body is not read.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "hook/unpacker.h"

namespace belay::hook {

class ResponseHead {
 public:
  void begin();
  // One line as received, with its line end; a status line starts a new head.
  void take(std::string_view line);

  // Nothing: the body's compression is not supported; `flaw` then names it.
  std::optional<Packing> packing() const;
  // Why a body with these headers cannot be read; empty if it can be read.
  std::string flaw() const;

 private:
  void end_line();

  // One of the three headers that are read, together with its continuation lines.
  std::string line_;
  std::string encoding_;
  std::string transfer_;
  std::string type_;
};

}  // namespace belay::hook
