// How far the demo is: a bar for people, four lines for a log.
#pragma once

#include <cstddef>
#include <string>

#include "output.h"

namespace belay::demo {

class Meter {
 public:
  Meter(tool::Out& out, std::size_t all) : out_(out), bar_(out, "transfers"), all_(all) {}

  void show(std::size_t done);
  void say(const std::string& line);

 private:
  tool::Out& out_;
  tool::Progress bar_;
  std::size_t all_;
  unsigned percent_ = 101;  // none yet
  unsigned shown_ = 0;
};

}  // namespace belay::demo
