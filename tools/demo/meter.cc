#include "demo/meter.h"

#include <fmt/format.h>

namespace belay::demo {

using tool::count;

void Meter::show(std::size_t done) {
  const auto percent = static_cast<unsigned>(done * 100 / all_);
  if (percent == percent_) return;
  percent_ = percent;
  if (out_.terminal()) {
    bar_.show(percent, fmt::format("{} of {}", count(done), count(all_)));
  } else if (percent / 25 > shown_ / 25) {
    shown_ = percent / 25 * 25;
    out_.print("{:3} %: {} of {} transfers\n", shown_, count(done), count(all_));
    out_.flush();
  }
}

void Meter::say(const std::string& line) {
  bar_.clear();
  out_.write(line + "\n");
  out_.flush();
}

}  // namespace belay::demo
