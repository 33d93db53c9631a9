// The end of an object that holds a connection or locks: those belong to the process that made it.
#pragma once

#include <memory>

#include "base/forks.h"
#include "base/quiet_signals.h"

namespace belay::base {

// Destroys the object, if there is one. In a forked child it is kept instead: to close a connection
// there would lock the file and write to it in the parent's place.
template <class Impl>
void end_at_home(std::unique_ptr<Impl>& impl) {
  if (!impl) return;
  const QuietSignals quiet;
  if (impl->left_home()) {
    keep(std::shared_ptr<Impl>(std::move(impl)));
  } else {
    impl.reset();
  }
}

}  // namespace belay::base
