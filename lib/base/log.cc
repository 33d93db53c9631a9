#include "base/log.h"

namespace belay::base {

void Log::emit(LogLevel level, std::string_view line) const noexcept {
  try {
    sink_(level, line, user_);
  } catch (...) {  // a host's sink that throws costs its line, nothing more
  }
}

}  // namespace belay::base
