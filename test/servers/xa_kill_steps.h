// Where the process that the XA kill test kills is to die by itself.
#pragma once

#include <string>

namespace belay::test {

struct KillStep {
  std::string statement{};  // how it begins, such as "XA COMMIT"; empty: nowhere
  std::string when{};       // "before", "sent" (and not answered) or "after"
};

// To be called before the first statement.
void kill_at(const KillStep& wanted);

}  // namespace belay::test
