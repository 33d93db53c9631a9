#include "belay/version.h"

#include "base/gid.h"
#include "belay/engine.h"
#include "loop/loop.h"

#define BELAY_TEXT_OF(x) #x
#define BELAY_TEXT(x) BELAY_TEXT_OF(x)

namespace belay {

std::string_view version() noexcept {
  return BELAY_TEXT(BELAY_VERSION_MAJOR) "." BELAY_TEXT(BELAY_VERSION_MINOR) "." BELAY_TEXT(
      BELAY_VERSION_PATCH);
}

std::string new_gid() { return base::make_gid(loop::wall_ms()); }

}  // namespace belay
