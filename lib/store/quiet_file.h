// A state file that no engine has open, held by its lock for work on it: nothing is called and no
// deadline passes. The log is folded into rows first, finished transactions included, so that the
// work has to do with rows only.
#pragma once

#include <memory>
#include <string>

#include "belay/result.h"
#include "store/journal.h"

namespace belay::store {

class QuietFile {
 public:
  // Errors: those of Journal::open, and of its recovery.
  static Result<QuietFile> open(const std::string& path, bool must_exist);

  Journal& journal() { return *journal_; }
  const Recovered& recovered() const { return recovered_; }
  // The lsn as of which rows are to be written: that of the log's only row, an empty batch.
  core::Lsn lsn() const { return lsn_; }

  Result<> close() { return journal_->close(); }

 private:
  Result<> fold_log();

  std::unique_ptr<Journal> journal_;
  Recovered recovered_;
  core::Lsn lsn_ = 0;
};

}  // namespace belay::store
