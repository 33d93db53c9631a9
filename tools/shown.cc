#include "shown.h"

namespace belay::tool {

void add_show_secrets_option(CLI::App* command, Context& context) {
  add_flag_option(command, "--show-secrets", context.shows_secrets,
                  "do not hide passwords and tokens in URLs and headers");
}

}  // namespace belay::tool
