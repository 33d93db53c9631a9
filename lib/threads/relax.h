// A pause of a thread that looks at the same memory again and again: some ten nanoseconds, in which
// the processor does less and its other half more.
#pragma once

namespace belay::threads {

inline void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
  __asm__ __volatile__("yield");
#endif
}

}  // namespace belay::threads
