// The state of a transaction, according to the records on disk.
#pragma once

#include <string>
#include <utility>

#include "belay/types.h"

namespace belay {

// A plain value: copy it, keep it.
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
  // The transaction is unfinished, and its current branch did not answer `Options::stuck_after`
  // times, names an unknown handler, or has waited behind its host's open circuit breaker for as
  // long as so many calls would have taken.
  bool stuck() const noexcept { return fields_.stuck; }
  // Why the transaction turned back ("branch 02 (bank.credit): account closed"), or, while the
  // transaction runs, the last error. Empty if there is none.
  const std::string& reason() const noexcept { return fields_.reason; }
  TimePoint created_at() const noexcept { return fields_.created_at; }
  // When the transaction became final; the epoch while it is not final.
  TimePoint finished_at() const noexcept { return fields_.finished_at; }
  // For a submit, a prepare or an abort: true if the transaction existed already or was decided
  // already, so that this call changed nothing.
  bool joined() const noexcept { return fields_.joined; }

 private:
  Fields fields_;
};

}  // namespace belay
