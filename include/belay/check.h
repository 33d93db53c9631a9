// A bug stops the process before a wrong decision is written to disk. The checks are enabled in
// release builds too.
#pragma once

#include "belay/export.h"

namespace belay {

// Prints the expression, the file and the line to standard error and aborts.
[[noreturn]] BELAY_EXPORT void check_failed(const char* expression, const char* file,
                                            int line) noexcept;

}  // namespace belay

#define BELAY_CHECK(expr) \
  ((expr) ? static_cast<void>(0) : ::belay::check_failed(#expr, __FILE__, __LINE__))
