// Hides passwords and tokens in URLs, and the values of secret headers, before rows are printed.
#pragma once

#include "belay/reader.h"
#include "command.h"

namespace belay::tool {

void hide_secrets(TransactionRow& row);
void hide_secrets(WholeTransaction& whole);
void hide_secrets(Topic& topic);

// The value as it may be shown: unchanged with --show-secrets.
template <class T>
T shown(const Context& context, T value) {
  if (!context.shows_secrets) hide_secrets(value);
  return value;
}

void add_show_secrets_option(CLI::App* command, Context& context);

}  // namespace belay::tool
