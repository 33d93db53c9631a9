// The state file's shape, its version, and what an engine insists on before it touches a file.
#pragma once

#include "belay/result.h"
#include "store/sqlite.h"

namespace belay::store {

inline constexpr std::int64_t kApplicationId = 0x62656c61;  // "bela", for file(1)
inline constexpr std::int64_t kSchemaVersion = 2;

enum class FileKind : std::uint8_t { fresh, ours };

// Looks at a file without changing it. Errors: unsupported (newer), corrupt (another program's, or
// none), storage.
Result<FileKind> identify(Database& database);
// Creates the schema or brings an older one up to date, in one commit; so its views, of any
// version. `kind` is what `identify` said.
Result<> migrate(Database& database, FileKind kind);

}  // namespace belay::store
