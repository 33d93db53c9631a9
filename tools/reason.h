// Why an operator asks for something: kept with what was done.
#pragma once

#include <optional>
#include <string>

#include "command.h"

namespace belay::tool {

struct ReasonOptions {
  std::string reason;
  std::string ticket;
};

void add_reason_options(CLI::App* command, ReasonOptions& options);
// `must_have`: there must be a reason.
std::optional<std::string> wrong_with(const ReasonOptions& options, bool must_have);
// "wrong price [T-1234]"
std::string text_of(const ReasonOptions& options);

}  // namespace belay::tool
