// Hides passwords and tokens in URLs, and the values of secret headers, before rows are shown.
#pragma once

#include "belay/reader.h"

namespace belay::tool {

void hide_secrets(TransactionRow& row);
void hide_secrets(WholeTransaction& whole);
void hide_secrets(Topic& topic);

}  // namespace belay::tool
