// The schema of the state file, its version, and the checks that a file must pass before an engine
// uses it.
#pragma once

#include "belay/result.h"
#include "sqlite/sqlite.h"

namespace belay::store {

inline constexpr std::int64_t kApplicationId = 0x62656c61;  // "bela", for file(1)
inline constexpr std::int64_t kSchemaVersion = 4;

enum class FileKind : std::uint8_t { fresh, ours };

// Examines a file without changing it. Errors: unsupported (newer), corrupt (the file of another
// program, or no database), storage.
Result<FileKind> identify(sqlite::Database& database);
// Creates the schema, or brings an older one up to date, in one commit; does the same for the
// views, whatever the version. `kind` is the result of `identify`.
Result<> migrate(sqlite::Database& database, FileKind kind);

}  // namespace belay::store
