#include "base/log.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/secrets.h"

namespace belay::base {

const Log& Log::none() {
  static const Log nobody;
  return nobody;
}

void Log::threw(std::string_view whose, const char* what) const noexcept {
  try {
    error("{} threw: {}", whose, what);
  } catch (...) {  // there is no memory for the line
  }
}

void Log::emit(LogLevel level, std::string line) const noexcept {
  std::replace_if(line.begin(), line.end(), is_control, ' ');
  try {
    sink_(level, without_secrets(line), user_);
  } catch (...) {  // if a host's sink throws, only this line is lost
  }
}

}  // namespace belay::base
