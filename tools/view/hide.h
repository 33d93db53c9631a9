// Hides passwords and tokens in URLs, the values of secret headers, and payloads, before rows are
// shown.
#pragma once

#include "belay/reader.h"

namespace belay::tool {

void hide_secrets(TransactionRow& row);
void hide_secrets(WholeTransaction& whole);
void hide_secrets(Topic& topic);

// Takes out what callers hand to services: payloads, headers and custom data of the definition, and
// the data of a workflow's steps.
void hide_payloads(WholeTransaction& whole);

}  // namespace belay::tool
