// The figures of called hosts, as JSON in `meta`: for `belay stats`, beside an engine or after it.
#pragma once

#include <string>
#include <vector>

#include "belay/hooks.h"
#include "belay/result.h"
#include "store/sqlite.h"

namespace belay::store {

std::string render_hosts(const std::vector<HostFigures>& hosts);
// Replaces what was written before.
Result<> write_hosts(Statement& set, const std::vector<HostFigures>& hosts);
// Empty if an engine has called none since it opened the file.
Result<std::vector<HostFigures>> read_hosts(Database& database);

}  // namespace belay::store
