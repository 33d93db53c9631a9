// What a command may show: with --show-secrets also passwords and tokens.
#pragma once

#include "command.h"
#include "view/hide.h"

namespace belay::tool {

// The value as it may be shown: unchanged with --show-secrets.
template <class T>
T shown(const Context& context, T value) {
  if (!context.shows_secrets) hide_secrets(value);
  return value;
}

void add_show_secrets_option(CLI::App* command, Context& context);

}  // namespace belay::tool
