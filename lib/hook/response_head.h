// Reads what a response's headers say about its body: how it is compressed, and in which charset it
// is written. If the headers name anything unknown, the body is not read. And reads when the call
// may be made again.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "belay/types.h"
#include "hook/unpacker.h"

namespace belay::hook {

class ResponseHead {
 public:
  void begin();
  // One line as received, with its line end; a status line starts a new head.
  void take(std::string_view line);

  // Nothing: the body's compression is not supported; `flaw` then names it.
  std::optional<Packing> packing() const;
  // The pause until the next call, if the headers ask for one and can be read.
  std::optional<Millis> retry_after() const;
  // Why a body with these headers cannot be read; empty if it can be read.
  std::string flaw() const;

 private:
  void end_line();

  // One of the headers that are read, together with its continuation lines.
  std::string line_;
  std::string encoding_;
  std::string transfer_;
  std::string type_;
  std::string retry_after_;
  std::string date_;
};

}  // namespace belay::hook
