#include "belay/check.h"

#include <cstdio>
#include <cstdlib>

namespace belay {

void check_failed(const char* expression, const char* file, int line) noexcept {
  // Printed without the library's own functions, which cannot be trusted any more.
  std::fprintf(stderr, "belay: bug: %s does not hold at %s:%d\n", expression, file, line);
  std::abort();
}

}  // namespace belay
