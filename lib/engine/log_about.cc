#include "engine/log_about.h"

#include <optional>

#include "base/branch_id.h"
#include "base/trace.h"

namespace belay::engine {

void write_about(const base::Log& log, LogLevel level, const core::Transaction& transaction,
                 const std::string& text) {
  const auto& definition = transaction.definition;
  LogLine line{.level = level,
               .gid = definition.gid(),
               .error = core::reason_of(transaction),
               .trace = base::trace_id_of(definition.trace_parent())};
  std::optional<base::BranchId> id;  // the line refers to its bytes
  if (const auto branch = core::failing_branch(transaction)) {
    id = definition.branch_id(*branch);
    line.branch_id = id->view();
    line.op = name_of(core::current_op(transaction, *branch));
    line.error = *transaction.branches[*branch].last_error;
  }
  auto name = "gid=" + base::field_text(line.gid);
  if (!line.trace.empty()) name.append(" trace=").append(line.trace);
  log.write(line, name + " " + text);
}

}  // namespace belay::engine
