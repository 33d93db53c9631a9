// Hides passwords and tokens in URLs, the values of secret headers, and payloads, before rows are
// shown.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "belay/reader.h"

namespace belay::tool {

// A text with hidden parts is no value: whoever gives it back has copied what was shown. The error,
// if `text` has any; `name` is the text's.
std::optional<std::string> refuse_hidden(std::string_view name, std::string_view text);

void hide_secrets(TransactionRow& row);
void hide_secrets(WholeTransaction& whole);
void hide_secrets(Topic& topic);
void hide_secrets(Hold& hold);
// In the holds.
void hide_secrets(EngineState& engine);

// Takes out what callers hand to services: payloads, headers and custom data of the definition, and
// the data of a workflow's steps.
void hide_payloads(WholeTransaction& whole);

}  // namespace belay::tool
