// The figures of called hosts, stored as JSON in `meta`: for `belay stats`, while an engine runs or
// afterwards.
#pragma once

#include <string>
#include <vector>

#include "belay/hooks.h"
#include "belay/result.h"
#include "sqlite/sqlite.h"

namespace belay::store {

std::string render_hosts(const std::vector<HostFigures>& hosts);
// Replaces the former figures.
Result<> write_hosts(sqlite::Statement& set, const std::vector<HostFigures>& hosts);
// Empty if the engine has called no host since it opened the file.
Result<std::vector<HostFigures>> read_hosts(sqlite::Database& database);

}  // namespace belay::store
