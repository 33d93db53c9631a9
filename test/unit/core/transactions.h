// Two transactions compared field by field.
#pragma once

#include <string>

#include "core/transaction.h"

namespace belay::test {

// The first difference in what is on disk of them, "branch 2: due_at: 7 and 9"; empty if there is
// none.
std::string difference(const core::Transaction& a, const core::Transaction& b);

}  // namespace belay::test
