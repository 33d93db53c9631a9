// Checks a transaction of an exported file with the code that recovery and readers use.
#pragma once

#include <memory>

#include "core/transaction.h"
#include "store/transfer_lines.h"

namespace belay::store::transfer {

// What an import puts into a file: of a finished transaction its columns, of an unfinished one the
// decoded snapshot.
struct Checked {
  std::unique_ptr<core::Transaction> unfinished;  // null: it is finished
};

// Errors: corrupt; invalid_argument (a text is too long); unsupported (a snapshot in a newer
// format).
Result<Checked> check(const RowLine& row);
Result<> check(const TopicLine& topic);
Result<> check(const XaRealm& realm);

}  // namespace belay::store::transfer
