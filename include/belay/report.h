// What became of a transaction, as far as it is on disk.
#pragma once

#include <string>
#include <utility>

#include "belay/types.h"

namespace belay {

// A value: copy it, keep it.
class Report {
 public:
  struct Fields {
    std::string gid;
    Mode mode{};
    Status status{};
    bool stuck = false;
    std::string reason;
    TimePoint created_at{};
    TimePoint finished_at{};
    bool joined = false;
  };
  explicit Report(Fields fields) : fields_(std::move(fields)) {}

  const std::string& gid() const noexcept { return fields_.gid; }
  Mode mode() const noexcept { return fields_.mode; }
  Status status() const noexcept { return fields_.status; }
  bool finished() const noexcept { return is_final(fields_.status); }
  bool succeeded() const noexcept { return fields_.status == Status::succeed; }
  // Unfinished, and its current branch did not answer `Options::stuck_after` times or names no
  // known handler.
  bool stuck() const noexcept { return fields_.stuck; }
  // Why it turned back ("branch 02 (bank.credit): account closed"), or while it runs the last
  // error. Empty if none.
  const std::string& reason() const noexcept { return fields_.reason; }
  TimePoint created_at() const noexcept { return fields_.created_at; }
  // When it became final; the epoch while it is not.
  TimePoint finished_at() const noexcept { return fields_.finished_at; }
  // Of a submit, a prepare, a word: the transaction was there already, or the word given, so that
  // this one changed nothing.
  bool joined() const noexcept { return fields_.joined; }

 private:
  Fields fields_;
};

}  // namespace belay
