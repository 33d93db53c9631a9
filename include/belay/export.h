// Marks the symbols that the shared library exports. All other symbols are hidden.
#pragma once

#if defined(__GNUC__)
#define BELAY_EXPORT __attribute__((visibility("default")))
#else
#define BELAY_EXPORT
#endif
