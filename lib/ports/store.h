// The port that makes decisions durable. The engine hands over one batch at a time and acts on it
// when the store reports that the batch is on disk. SQL, files and pragmas are known only to
// implementations of this port.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "belay/hold.h"
#include "belay/hooks.h"
#include "belay/msg.h"
#include "belay/requests.h"
#include "belay/result.h"
#include "belay/xa_realm.h"
#include "core/topics.h"
#include "core/transaction.h"

namespace belay::ports {

using core::Lsn;
using core::TransactionId;

// A transaction's row as of `lsn`. The row is inserted or replaced, or erased if `erase` is set
// (because the history does not keep it).
struct RowChange {
  TransactionId id = 0;
  Lsn lsn = 0;
  bool erase = false;
  // For a finished transaction: not owned; it stays alive and unchanged until the batch is
  // completed. For an unfinished one: `copy` owns it.
  const core::Transaction* transaction = nullptr;
  std::unique_ptr<core::Transaction> copy;
  bool stuck = false;
  std::uint64_t due_at = 0;
};

struct TopicChange {
  enum class Kind : std::uint8_t {
    subscribe,    // or a new remark for an existing subscription
    unsubscribe,  // the topic stays, also without subscribers
    remove,       // the topic with all its subscriptions; only `subscription.topic` counts
  };
  Subscription subscription;
  Kind kind = Kind::subscribe;
  core::TopicStamp stamp{};  // the topic's after the change
};

// A request that another process wrote into the file, see belay/requests.h.
struct PostedRequest {
  std::int64_t id = 0;  // grows with the order of their commits
  std::string verb{};   // as it was written
  std::string body{};
  // The gid, the reason and who asks; and of all but a submit the verb, and what `body` says.
  Request asked{};
  std::optional<core::Definition> definition{};  // of a submit: what `body` describes
  std::optional<Error> wrong{};                  // the request can never be carried out
};

inline constexpr std::string_view kPostedTaken = "taken";
// The answer to such a request. It is on disk with the batch that holds its effect.
struct PostedAnswer {
  std::int64_t id = 0;
  std::string gid;
  std::string answer;  // kPostedTaken, or the name of an error
  std::string detail;
  std::uint64_t at = 0;  // ms since the epoch
};

// Once more does no harm.
struct HoldChange {
  Hold hold;
  bool releases = false;  // only the hold's target counts
};

struct Batch {
  // The lsn of the log row; 0: there are no records, only rows and folding.
  Lsn lsn = 0;
  std::string records;  // a sealed batch, see codec.h
  std::vector<RowChange> rows;
  // In order; to apply them twice does no harm.
  std::vector<TopicChange> topics;
  std::vector<HoldChange> holds;  // likewise
  // The figures of the called hosts, for readers of the file; they replace the former figures.
  std::optional<std::vector<HostFigures>> hosts;
  // The times that no engine saw, as text in the engine's format, see engine/seen_time.h. Replaces
  // the former text.
  std::optional<std::string> gaps;
  std::vector<XaRealm> realms;        // to be stored; to store one twice does no harm
  std::vector<PostedAnswer> answers;  // to write one twice does no harm
  // In ms since the epoch. The value is written only to see whether the disk accepts a write; 0:
  // not written.
  std::uint64_t checked_at = 0;
  // Log rows with a smaller lsn are covered by rows of transactions and are deleted; 0: none.
  Lsn fold_below = 0;
};

// The store's answer to the lookup of a gid that is not in memory.
struct StoredSummary {
  std::string gid;
  core::TransactionId id = 0;
  Mode mode{};
  Status status{};
  std::uint64_t definition_hash = 0;
  std::string reason;
  std::uint64_t created_at = 0;
  std::uint64_t finished_at = 0;
};

struct StoreFigures {
  std::uint64_t log_bytes = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t wal_bytes = 0;  // the size of the write-ahead log beside the file
  std::uint64_t row_bytes = 0;  // the bytes of the rows that this commit wrote
  // The time of the whole commit, and the part of it that SQL's COMMIT took: writing and syncing.
  // 0: the store has no clock.
  std::uint64_t commit_us = 0;
  std::uint64_t sync_us = 0;
};

class Store {
 public:
  virtual ~Store() = default;

  // `done` runs once, on the loop, never within the call. The batch must not change until then. At
  // most one commit is under way. Errors: storage; superseded (another engine has the file). After
  // the error storage the same batch may be handed in again, as often as needed: the store finds
  // out which part of it is on disk and writes the rest.
  using CommitDone = std::function<void(const Result<StoreFigures>& result)>;
  virtual void commit(const Batch& batch, CommitDone done) = 0;

  // Finished transactions by gid, in the order of `gids`; an empty element if there is no such
  // transaction. The store does not report unfinished transactions: the engine has them in memory.
  using Found = Result<std::vector<std::optional<StoredSummary>>>;
  using LookupDone = std::function<void(Found result)>;
  virtual void lookup(std::vector<std::string> gids, LookupDone done) = 0;

  // Requests without an answer, in their order.
  struct PostedQuery {
    std::int64_t after = 0;  // only ids above this one
    // Leaves out submits, and what was posted behind a submit with the same gid.
    bool without_submits = false;
  };
  struct Posted {
    std::vector<PostedRequest> requests;
    bool more = false;
  };
  using PostedDone = std::function<void(Result<Posted> result)>;
  virtual void read_posted(const PostedQuery& query, PostedDone done) = 0;

  // Deletes some of the rows whose retention has ended. `done` gets true if more are left.
  struct Expiry {
    std::uint64_t succeed_before = 0;  // ms since the epoch, by finish time; 0: none
    std::uint64_t failed_before = 0;
    std::uint64_t answered_before = 0;  // requests of other processes
    // True: a row that is older than rows with lower ids is found, too. Every row is looked at.
    bool is_thorough = false;
  };
  using CollectDone = std::function<void(Result<bool> more)>;
  virtual void collect(const Expiry& expiry, CollectDone done) = 0;
};

}  // namespace belay::ports
