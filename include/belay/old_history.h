// Removes finished transactions from a state file that no engine has open. While an engine has the
// file open it does this itself, see Options::retention.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "belay/export.h"
#include "belay/result.h"
#include "belay/types.h"

namespace belay {

// Which transactions are meant, by the time at which they finished. Nothing: none of them.
struct FinishedBefore {
  std::optional<TimePoint> succeeded{};
  std::optional<TimePoint> failed{};
};

struct HistoryCount {
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
};

// Holds the file's lock, as an engine does, from `open` to `close`. Use it from one thread at a
// time; every function of a moved-from or closed object returns misuse.
class BELAY_EXPORT OldHistory {
 public:
  // Also moves what only the log says into rows. Nothing is called. Errors: not_found, locked,
  // misplaced, corrupt, unsupported, storage, no_space, invalid_argument, resources.
  static Result<OldHistory> open(std::string_view path);
  OldHistory(OldHistory&&) noexcept;
  OldHistory& operator=(OldHistory&&) noexcept;
  ~OldHistory();

  // Looks at every row. Errors: storage.
  Result<HistoryCount> count(const FinishedBefore& before);
  // Removes up to 1,000 of them, or gives up to 1 MB of free pages back to the file system, in one
  // commit. True: there is more to do. The process may end between two calls, in any way; a file
  // that another program made, without incremental vacuum, keeps its size. The file keeps 2 MB
  // and a thirty-second part of it as free pages. Errors: storage, no_space; after an error nothing
  // was removed by this call.
  Result<bool> remove_some(const FinishedBefore& before);
  // Moves everything into the one file and releases the lock. The destructor does the same, but
  // reports nothing. Errors: storage.
  Result<> close();

 private:
  class Impl;
  explicit OldHistory(std::unique_ptr<Impl> impl) noexcept;

  std::unique_ptr<Impl> impl_;
};

}  // namespace belay
