// How an engine behaves, and what bounds it. Behaviour and limits are apart; every default has its
// reason beside it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "belay/hooks.h"
#include "belay/types.h"

struct uv_loop_s;

namespace belay {

// When a call that brought no final answer is made again.
struct Retry {
  Millis first_interval{10'000};  // after the first unknown; dtm's default
  double multiplier = 2.0;        // 1.0 to 100.0
  // the cap dtm does not have: nobody waits for hours after an outage
  Millis interval_max{300'000};
  // 0.0 to 1.0: each interval is drawn from [1-jitter, 1+jitter] of its value
  double jitter = 0.2;
  // forward calls without an answer before the transaction turns back; 0: no limit
  std::uint32_t limit = 0;
  Millis ongoing_interval{10'000};  // fixed, after `ongoing`

  bool operator==(const Retry&) const = default;
};

enum class History : std::uint8_t {
  all = 0,     // every finished transaction stays until its retention ends
  failed = 1,  // only the failed ones
  none = 2,    // none, and their gids are forgotten: submitting one again runs it again
};

enum class LogLevel : std::uint8_t { debug, info, warning, error };

// Called from the loop, the store's thread or the caller's, one line without a newline. Must not
// call the engine, and must not wait: while it does, everything stands still. A terminal or a pipe
// that nobody reads makes its writer wait, so hand lines to a queue that drops and counts, as
// `belay serve` does. Of what may come by the thousand at once, such as transactions that get
// stuck, ten are told one by one in ten seconds and the rest in one line with their number.
using LogSink = void (*)(LogLevel level, std::string_view line, void* user);

// A call that brought no answer, of a transaction that is stuck: see Options::stuck_after. Or one
// that could not be made, since nobody registered its handler. Views live as long as the callback's
// call.
struct StuckNotice {
  std::string_view gid;
  Status status{};
  std::string_view branch_id;
  Op op{};
  std::string_view target;
  std::string_view error;
  std::uint32_t attempts = 0;  // without an answer, in a row
};
// Called on the loop after every such call, once that is on disk; must not wait.
using StuckCallback = void (*)(const StuckNotice& notice, void* user);

// Bounds. A submit that would break one is refused with that limit's own error and leaves nothing
// behind.
struct Limits {
  // unfinished at once → live_limit; about 0.7 KB each, see live_bytes_max
  std::size_t live_transactions_max = 1'000'000;
  std::size_t queued_submits_max = 65'536;  // handed in and not yet decided → busy
  // asynchronous and blocking calls; more wait their turn
  std::size_t calls_in_flight_max = 4'096;
  // Blocking handlers that begin at once; more wait their turn. 1 to 1,024. A handler that blocks
  // mostly waits for a database, which rarely takes more connections of one program. Threads are
  // made when they are needed and kept until the end; while handlers wait for transactions
  // themselves there are up to as many again.
  std::size_t blocking_threads = 16;
  std::size_t branches_max = 1'000;                    // per transaction → branches_limit
  std::size_t payload_bytes_max = 1024 * 1024;         // per step → payload_limit
  std::size_t definition_bytes_max = 8 * 1024 * 1024;  // a whole transaction → definition_limit
  std::size_t gid_bytes_max = 128;                     // dtm's column width → gid_limit
  std::size_t subscriptions_max = 100'000;             // of all topics → topics_limit
  // Memory, in bytes, each for the sum. A lone one that is larger is taken all the same, and so is
  // whatever a start reads back. All four together leave room on a machine of 1 GiB.
  //
  // Of the transactions in memory: definitions, branches, remembered steps, errors, who waits for
  // their ends → live_bytes_limit. Some 800,000 small ones.
  std::size_t live_bytes_max = 512 * 1024 * 1024;
  // Of requests handed in and not yet decided → queued_bytes_limit. Eight of the largest
  // definitions, or the whole queue of small ones.
  std::size_t queued_bytes_max = 64 * 1024 * 1024;
  // Copies for asynchronous and blocking calls in flight; more wait their turn.
  std::size_t call_bytes_max = 64 * 1024 * 1024;
  // Of all subscriptions: topics, targets and remarks, and 100 bytes for each → topics_limit.
  std::size_t subscription_bytes_max = 32 * 1024 * 1024;
};

struct Options {
  // Behaviour.
  // the host's loop; null: the engine runs one on a thread of its own
  uv_loop_s* loop = nullptr;
  History history = History::all;
  // Counted in time that engines see pass: a minute and more in which nobody has the file open, or
  // by which the clock is ahead at a start, does not count (the eight longest such times).
  Millis retention{7LL * 24 * 3600 * 1000};         // of succeeded transactions; 0: for ever
  Millis retention_failed{7LL * 24 * 3600 * 1000};  // of failed ones; 0: for ever
  Retry retry;                                      // for transactions and steps that name none
  Millis request_timeout{3'000};  // how long a call may take; dtm's default. 1 ms to 1 h
  // unanswered attempts after which a transaction counts as stuck
  std::uint32_t stuck_after = 3;
  Millis checkpoint_interval{5'000};  // how old the log's head may grow while little happens
  // how long the log may grow before its head is folded away
  std::size_t checkpoint_log_bytes = 16 * 1024 * 1024;
  LogSink log = nullptr;  // null: the library says nothing
  void* log_user = nullptr;
  LogLevel log_level = LogLevel::info;  // what is below is not formatted
  // A new state file is refused (not_found): for those whose file is never a new one
  bool must_exist = false;
  // The whole file is checked before it is opened, as Reader::check does, and refused (corrupt) if
  // something is wrong with it. Costs a few seconds a GB; a file that is not checked is refused at
  // what recovery finds in it.
  bool check_at_open = false;
  StuckCallback on_stuck = nullptr;  // null: nobody is told
  void* on_stuck_user = nullptr;

  HookOptions hooks;

  Limits limits;
};

}  // namespace belay
