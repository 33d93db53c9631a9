// The schema of the state file, its version, and the checks that a file must pass before an engine
// uses it.
#pragma once

#include <cstdint>
#include <string_view>

#include "belay/result.h"
#include "sqlite/sqlite.h"

namespace belay::store {

inline constexpr std::int64_t kApplicationId = 0x62656c61;  // "bela", for file(1)
inline constexpr std::int64_t kSchemaVersion = 4;
// The versions since which a file has these.
inline constexpr std::int64_t kProgressSince = 2;
inline constexpr std::int64_t kHoldsSince = 4;
inline constexpr std::int64_t kRequestsSince = 4;

inline constexpr std::string_view kReadEpoch = "SELECT value FROM main.meta WHERE name = 'epoch'";

enum class FileKind : std::uint8_t { fresh, ours };

// Examines a file without changing it. Errors: unsupported (newer), corrupt (the file of another
// program, or no database), storage.
Result<FileKind> identify(sqlite::Database& database);
// Creates the schema, or brings an older one up to date, in one commit; does the same for the
// views, whatever the version. `kind` is the result of `identify`.
Result<> migrate(sqlite::Database& database, FileKind kind);

}  // namespace belay::store
