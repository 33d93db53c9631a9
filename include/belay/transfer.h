// Transactions leave a state file as text, and come into another one: `Reader::export_all` and
// `import_transactions` move them whole, finished or under way; `submit_text` and
// `description_from` are for one that is to be done again.
//
// An exported file is lines of JSON. The first one says what follows, the last one that this is
// all:
//
//   {"belay_export":1,"transactions":2,"unfinished":1,"topics":0,"realms":0,"epoch":7,…}
//   {"transaction":"order-41","id":1,"mode":"saga","status":"succeed",…}
//   {"transaction":"order-42","id":2,"mode":"saga","status":"submitted",…,"snapshot":"AgUB…"}
//   {"complete":true,"lines":3,"check":"5f0d2a11","crc32c":"88c1e40b"}
//
// Between them are the topics, the realms of XA and the transactions, these ordered by id.
// `definition`, `branches`, `timeline` and `progress` are the columns of `transaction_rows`
// (lib/store/schema.cc); `snapshot` is the whole state of an unfinished transaction, in Base64.
// Times are ms since the epoch. Bytes that are no text are {"base64": "…"}. Each line ends with the
// CRC-32C of what stands before it, so a file that was changed is refused. The file holds payloads
// and headers as they are: keep it as you keep the state file.
//
// Only one of both files may go on. Participants know a call by gid, branch and operation; if two
// engines drive the same transaction, one may undo what the other one does. So after an import the
// old file must not be opened by an engine any more.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>

#include "belay/description.h"
#include "belay/export.h"
#include "belay/msg.h"
#include "belay/options.h"
#include "belay/reader.h"
#include "belay/result.h"
#include "belay/saga.h"
#include "belay/tcc.h"

namespace belay {

// A description of any mode that may be submitted at once, as a value.
class OwnedDescription {
 public:
  using Any = std::variant<Saga, Tcc, Xa, Msg>;
  explicit OwnedDescription(Any any) : any_(std::move(any)) {}

  const Any& any() const noexcept { return any_; }
  // Refers to this object.
  Description description() const {
    return std::visit([](const auto& one) { return Description(one); }, any_);
  }
  const std::string& gid() const {
    return std::visit([](const auto& one) -> const std::string& { return one.gid(); }, any_);
  }

 private:
  Any any_;
};

// The definition of a transaction that a Reader has read, as the body of a submit in
// belay/requests.h, and with its gid as the member "gid". It says what was asked for: the
// subscribers that a topic had then are left out, and so is everything that has happened since.
// Settings that all steps share may stand with the transaction instead. Errors: unsupported (a
// workflow: its owner goes on with it), corrupt.
BELAY_EXPORT Result<std::string> submit_text(const TransactionRow& row);

// Reads such a text. The member "gid" may be left out. All checks of a submit are made, except
// whether an engine may call the targets. Errors: invalid_argument, and those of the limits.
BELAY_EXPORT Result<OwnedDescription> description_from(std::string_view text,
                                                       const Limits& limits = {});

struct ImportOptions {
  // A transaction whose gid the file has already is left out; otherwise it is an error.
  bool skips_existing = false;
  bool must_exist = false;  // a new state file is an error: not_found
  // Gets 0 to 100. If it throws, nothing is imported, and the result is misuse.
  std::function<void(unsigned percent)> progress{};
};

struct ImportReport {
  std::uint64_t transactions = 0;  // that were put into the file
  std::uint64_t unfinished = 0;    // of these: they go on when an engine opens the file
  std::uint64_t skipped = 0;       // see ImportOptions::skips_existing
  std::uint64_t topics = 0;        // that are new, or got new subscriptions
};

// Puts everything from the exported file `from` into the state file `to`, which is made if there is
// none, and which no engine may have open: this takes the engine's lock. Nothing is called. The
// transactions get new ids, in their order, above those that the file has. A topic that the file
// has already keeps its subscriptions and gets those that it lacks. Requests that other programs
// have posted (belay/requests.h) and held targets are not exported: hold them in the new file
// before an engine opens it.
//
// It reads `from` twice: the first time all of it is decoded as recovery would do it; the second
// time it is written, in one commit. So all of it is in the file or nothing, also after a power
// cut, and the state file's -wal needs room for all of it. Memory: a few times the longest line,
// which may have 512 MiB.
//
// Errors: invalid_argument, naming the line (damaged, incomplete, or not what an export writes) or
// that `from` is no regular file; unsupported (of a newer belay); not_found (no file `from`);
// conflict (a gid is there already; names it); locked; misplaced; corrupt (the state file);
// no_space, storage; resources. After an error nothing was imported, with one exception: after
// storage all of it may be in the file, if it is the disk's last sync that failed. To import it
// again with `skips_existing` is then right.
BELAY_EXPORT Result<ImportReport> import_transactions(std::string_view from, std::string_view to,
                                                      const ImportOptions& options = {});

}  // namespace belay
