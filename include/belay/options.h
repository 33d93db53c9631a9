// The options of an engine. Behaviour and limits are separate; every default has its reason beside
// it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "belay/export.h"
#include "belay/hooks.h"
#include "belay/types.h"

struct uv_loop_s;

namespace belay {

// When a call without a final answer is made again.
struct Retry {
  // After the first unknown outcome, but no longer than interval_max; dtm's default.
  Millis first_interval{10'000};
  double multiplier = 2.0;  // 1.0 to 100.0
  // dtm has no such maximum. It exists because nobody wants to wait for hours after an outage. It
  // also bounds the pause that an answer asks for, see Outcome::retry_after.
  Millis interval_max{300'000};
  // 0.0 to 1.0: each interval is multiplied by a random factor from [1-jitter, 1+jitter].
  double jitter = 0.2;
  // The number of forward calls without an answer before the transaction turns back; 0: no limit.
  std::uint32_t limit = 0;
  Millis ongoing_interval{10'000};  // after `ongoing`; does not grow

  bool operator==(const Retry&) const = default;
};

enum class History : std::uint8_t {
  all = 0,     // every finished transaction stays until its retention ends
  failed = 1,  // only failed transactions stay
  // No finished transaction stays, and its gid is forgotten: a repeated submit runs it again.
  none = 2,
};

enum class LogLevel : std::uint8_t { debug, info, warning, error };
BELAY_EXPORT std::string_view name_of(LogLevel level) noexcept;
BELAY_EXPORT std::optional<LogLevel> log_level_from(std::string_view name) noexcept;

// A line of the log. The views are valid during the sink's call.
struct LogLine {
  LogLevel level{};
  // For people: one line without control characters. It names the gid and the trace too, in quotes
  // if they could be taken for more than that.
  std::string_view text{};
  // For programs: what the line is about; each may be empty. Callers and services have chosen these
  // bytes, so write them as strings of your format.
  std::string_view gid{};
  std::string_view branch_id{}, op{};  // the branch that does not answer as it should
  std::string_view error{};            // its newest error, or why the transaction turned back
  std::string_view trace{};            // the id of the caller's trace
};

// Called from the loop, from the store's thread or from the caller's thread, for each line. The
// function must not call the engine and must not wait: while it waits, the engine stands still. A
// terminal or a pipe that nobody reads makes its writer wait, so put the lines into a queue that
// drops and counts, as `belay serve` does. Events that can come by the thousand at once, such as
// transactions that become stuck, are logged with one line each for the first ten in ten seconds;
// one more line has the number of the rest.
using LogSink = void (*)(const LogLine& line, void* user);

// A call without an answer, of a transaction that is stuck (see Options::stuck_after), or a call
// that could not be made because its handler is not registered or its host's circuit breaker is
// open. The views are valid during the callback's call.
struct StuckNotice {
  std::string_view gid;
  Status status{};
  std::string_view branch_id;
  Op op{};
  std::string_view target;
  std::string_view error;
  std::uint32_t attempts = 0;  // calls without an answer, in a row
  std::string_view reason;     // why the transaction turned back; empty if it did not
  bool called = true;          // false: the call could not be made
};
// Called on the loop after every such call, once the call's outcome is on disk; must not wait.
using StuckCallback = void (*)(const StuckNotice& notice, void* user);

// The end of what a StuckNotice tells; there may have been none since the start. The views are
// valid during the callback's call.
struct UnstuckNotice {
  std::string_view gid;
  Status status{};
  // The branch that has got an answer, of a transaction that is still stuck because of another
  // branch. Empty: the transaction is no longer stuck, for whatever reason.
  std::string_view branch_id;
};
// Called on the loop in the order of the events, as StuckCallback; must not wait.
using UnstuckCallback = void (*)(const UnstuckNotice& notice, void* user);

// The limits. A submit beyond a limit is refused with the limit's own error and leaves nothing
// behind.
struct Limits {
  // Unfinished transactions at once → live_limit. Each takes about 0.7 KB, see live_bytes_max.
  std::size_t live_transactions_max = 1'000'000;
  // Received and not yet decided → busy.
  std::size_t queued_submits_max = 65'536;
  // Asynchronous and blocking calls; further calls wait.
  std::size_t calls_in_flight_max = 4'096;
  // Blocking handlers that begin at once, 1 to 1,024; further calls wait. Sixteen, because a
  // blocking handler mostly waits for a database, and a database rarely accepts more connections
  // from one program. Threads are created when they are needed and kept until the end. While
  // handlers themselves wait for transactions, there are up to this many threads more.
  std::size_t blocking_threads = 16;
  std::size_t branches_max = 1'000;                    // per transaction → branches_limit
  std::size_t payload_bytes_max = 1024 * 1024;         // per step → payload_limit
  std::size_t definition_bytes_max = 8 * 1024 * 1024;  // the whole transaction → definition_limit
  // dtm's column width → gid_limit. At least 26, as a gid that the engine makes.
  std::size_t gid_bytes_max = 128;
  // In all topics together, and as many topics, those without subscribers included → topics_limit.
  std::size_t subscriptions_max = 100'000;
  // Limits of memory, in bytes, each for a sum. If nothing else counts towards the sum, one item is
  // accepted whatever its size; everything that a start reads back is accepted as well. All four
  // limits together leave room on a machine with 1 GiB.
  //
  // The transactions in memory: definitions, branches, recorded steps, errors, and the callers that
  // wait for their ends → live_bytes_limit. Enough for some 800,000 small transactions.
  std::size_t live_bytes_max = 512 * 1024 * 1024;
  // Requests received and not yet decided → queued_bytes_limit. Enough for eight of the largest
  // definitions, or for a full queue of small ones.
  std::size_t queued_bytes_max = 64 * 1024 * 1024;
  // Copies of the data of asynchronous and blocking calls in flight; further calls wait.
  std::size_t call_bytes_max = 64 * 1024 * 1024;
  // Topics and subscriptions: names, targets and remarks, and 100 bytes for each → topics_limit.
  std::size_t subscription_bytes_max = 32 * 1024 * 1024;
};

struct Options {
  // Behaviour.
  // The host's loop. Null: the engine runs a loop on a thread of its own.
  uv_loop_s* loop = nullptr;
  History history = History::all;
  // How long succeeded transactions stay; 0: for ever. Retention counts only time during which an
  // engine had the file open. Not counted: a minute or more in which nobody has the file open, and
  // a minute or more by which the wall clock has jumped ahead at a start (the eight longest such
  // times).
  Millis retention{7LL * 24 * 3600 * 1000};
  // How long failed transactions stay; 0: for ever.
  Millis retention_failed{7LL * 24 * 3600 * 1000};
  // The default for transactions and steps that set none.
  Retry retry;
  // How long a call may take; dtm's default. 1 ms to 1 h.
  Millis request_timeout{3'000};
  // After this many calls without an answer a transaction counts as stuck. It also does if a call
  // has waited behind its host's open circuit breaker for as long as so many calls would have
  // taken: their timeouts, and the intervals between them.
  std::uint32_t stuck_after = 3;
  // The maximum age of the oldest records in the log while there is little traffic.
  Millis checkpoint_interval{5'000};
  // The size that the log may reach before its oldest records are folded into rows.
  std::size_t checkpoint_log_bytes = 16 * 1024 * 1024;
  LogSink log = nullptr;  // null: the library logs nothing
  void* log_user = nullptr;
  LogLevel log_level = LogLevel::info;  // lines below this level are not even formatted
  // The permissions of a new state file, its -wal, -shm and lock file, whatever the umask: 0600,
  // and what others get of 0066. An existing file keeps its own; the log warns if they are wider.
  std::uint32_t file_mode = 0600;
  // A new state file is refused (not_found): for programs whose state file must exist already.
  bool must_exist = false;
  // Checks the whole file before it is opened, as Reader::check does, and refuses it (corrupt) if a
  // problem is found. The check takes a few seconds a GB. Without it, a file is refused only for
  // problems that recovery finds.
  bool check_at_open = false;
  // False: nothing is called, and no deadline passes; the engine only carries out requests. For the
  // repair of a file whose program does not run: stop a transaction, and the program does not call
  // it any more when it starts.
  bool makes_calls = true;
  // False: submits that other programs have posted in the file (belay/requests.h) stay there, for
  // the program whose file it is. All other requests are carried out.
  bool takes_posted_submits = true;
  StuckCallback on_stuck = nullptr;      // null: no notices
  UnstuckCallback on_unstuck = nullptr;  // null: no notices
  void* on_stuck_user = nullptr;         // of both

  HookOptions hooks;

  Limits limits;
};

}  // namespace belay
