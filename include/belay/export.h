// What the shared library shows. Everything else is hidden.
#pragma once

#if defined(__GNUC__)
#define BELAY_EXPORT __attribute__((visibility("default")))
#else
#define BELAY_EXPORT
#endif
