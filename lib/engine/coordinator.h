// The turn: collect requests, outcomes and due times; let the core decide; commit; then act. One
// law holds it together: nothing acts before it is committed. Knows no file, socket or library's
// loop: those are ports.
//
// Threads: every function above `turn` but `adopt`, `adopt_topics` and `start` may be called from
// any; everything else, and every callback of the ports, belongs to the loop's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/enter.h"
#include "base/log.h"
#include "base/log_burst.h"
#include "belay/engine.h"
#include "core/codec.h"
#include "core/decide.h"
#include "engine/budget.h"
#include "engine/calls.h"
#include "engine/commit_cost.h"
#include "engine/disk_health.h"
#include "engine/due_heap.h"
#include "engine/engine_time.h"
#include "engine/lanes.h"
#include "engine/live.h"
#include "engine/lookups.h"
#include "engine/open_batch.h"
#include "engine/parked.h"
#include "engine/recent_max.h"
#include "engine/requests.h"
#include "engine/seen_time.h"
#include "engine/subscriptions.h"
#include "ports/caller.h"
#include "ports/clock.h"
#include "ports/store.h"

namespace belay::engine {

struct Ports {
  ports::Clock& clock;
  ports::Alarm& alarm;
  ports::Caller& caller;
  ports::Store& store;
};

// Where the state file stands when the engine takes over.
struct Origin {
  core::Lsn last_lsn = 0;
  core::TransactionId last_id = 0;
  std::uint64_t epoch = 0;
  std::uint64_t log_bytes = 0;
  std::uint64_t seed = 0;  // of the jitter
  // Up to when the file has seen time, ms on the engine's scale; 0: not at all. And the gaps
  // before that, as ports::Batch has them.
  std::uint64_t seen_until = 0;
  std::string gaps{};
  std::uint64_t file_bytes = 0;
  std::uint64_t wal_bytes = 0;
};

class Coordinator {
 public:
  Coordinator(const Options& options, Ports ports, const BatchLimits& limits = {});
  Coordinator(const Coordinator&) = delete;
  Coordinator& operator=(const Coordinator&) = delete;
  ~Coordinator();

  // Before `start`: what the store recovered, in any order. `first_lsn` and `last_lsn` as of the
  // store.
  void adopt(core::Transaction transaction, core::Lsn first_lsn, core::Lsn last_lsn, bool has_row);
  void adopt_topics(core::Topics topics);
  void start(const Origin& origin);

  // From any thread. An error is immediate and `done` never runs; else it runs once, on the loop,
  // in a later turn.
  Result<> submit(SubmitRequest request);
  Result<> find(std::string gid, base::Callback<Report> done);
  // No timeout: for as long as it takes.
  Result<> wait(std::string gid, std::optional<Millis> timeout, base::Callback<Report> done);
  Result<> add_branch(BranchRequest request);
  Result<> give_word(WordRequest request);
  Result<> record_progress(ProgressRequest request);
  Result<> finish_workflow(EndRequest request);
  Result<> hasten_all(HastenRequest request);
  Result<> change_topic(TopicRequest request);
  Result<> topics(base::Callback<std::vector<Subscription>> done);
  // Answered within some seconds, however the disk is.
  Result<> check_storage(base::Callback<std::monostate> done);
  // Also before `start`: on disk with the next batch.
  Result<> note_realm(const XaRealm& realm);
  void registered(std::string target);
  Result<> close(base::Callback<std::monostate> closed);
  Counters counters() const;

  // On the loop.
  void turn();
  void answer(ports::CallId id, const Outcome& outcome);
  // Calls that wait for this lane may go on: see ports::Caller. They do so in a later turn.
  void lane_opened(ports::Lane lane);
  // The state file does not look as it should: a write finds out.
  void doubt_storage(const Error& error);
  bool closed() const { return phase_ == Phase::closed; }

 private:
  enum class Phase : std::uint8_t { new_, running, closing, closed };

  // An answer that the open batch has no room for.
  struct Answer {
    ports::CallId id;
    Outcome outcome;
  };
  // A HastenRequest at work: which places of the due heap are still to be looked at.
  struct Hastening {
    std::uint64_t later_than_at = 0;  // on the engine's scale
    std::uint32_t limit = 0;
    std::size_t places_left = 0;
    Woken woken;
    base::Callback<Woken> done;
  };

  // engine.cc: the turn
  Result<> enqueue(Request request);
  Result<> may_queue(const Load& load);
  void take_requests();
  Request* next_request();
  void unqueue(const Load& load);
  bool may_take() const;
  template <NamesGid R>
  void take(R& request);
  void take(TopicRequest& request);
  void take(TopicsRequest& request);
  void take(RegisteredRequest& request);
  void take(CloseRequest& request);
  void take(HastenRequest& request);
  void take_acts();
  void carry_out();
  bool is_worth_overlapping() const;
  void fire_due();
  void wake_parked();
  void resume_some();
  void resume(Live& live);
  bool stop_resuming(Live& live);
  void write(const core::Record& record);
  void decide(Live& live, const core::Event& event);
  static Act to_act(Live& live, const core::Effect& effect);
  void hold_or_release(const Act& act);
  void hold(const Act& act);
  void release(const Act& act);
  bool is_durable(const Live& live) const { return live.last_lsn <= durable_lsn_; }
  void note_lag();
  void set_alarm();
  void publish();

  // driven.cc: transactions that go on by their caller's word
  void submit_word(Live& live, Millis delay, Waiter waiter);
  void decide_word(Live& live, const core::Event& event, Waiter waiter);
  void note_branches(Live& live);
  void tell_branches(Live& live);
  void end_branch_waits(Live& live, const Error& error);

  // workflow.cc: transactions whose steps are their owner's
  Result<> check_progress(const core::Transaction& transaction, std::string_view step) const;
  void let_go(Live& live);
  void drop_left();

  // operator.cc: the operator's words
  void stop(Live& live, WordRequest& request);
  void hasten(Live& live, WordRequest& request);
  void hasten_some();
  bool hasten_slice(Hastening& work);
  void end_hastening(const Error& error);

  // stuck.cc: telling what goes on, and what does not
  void log_move(const Live& live, const core::Record& record) const;
  void note_shortages();
  bool note_stuck(Live& live);  // true: from now on
  void log_stuck(const Live& live);
  void log_stuck_left_out();
  void note_unanswered(const Live& live);
  void tell_stuck(const std::vector<StuckNote>& notes) const;

  // checks.cc: whether the disk takes writes, and what rides along
  void take_checks();
  void answer_checks(const std::vector<StorageCheck>& checks, const Result<>& result);
  void fail_checks(const Error& error);
  std::uint64_t next_check_expires() const;
  void expire_checks();
  void note_silence();
  void note_hosts();
  void note_time(std::uint64_t pause);
  void take_realms();
  void seal_extras();

  // submit.cc: gids, joins, answers
  std::optional<Error> end_of_service() const;
  std::optional<Error> refusal() const;
  static Error silence();  // of a disk that hangs
  Result<> may_add(std::size_t bytes) const;
  Result<> may_grow(const Live& live, std::size_t bytes);
  Result<> may_wait(const Live& live, bool wants_final) const;
  // A request meets its transaction in memory; its summary in the history; or nothing at all.
  void meet(Live& live, SubmitRequest& request);
  void meet(Live& live, FindRequest& request);
  void meet(Live& live, BranchRequest& request);
  void meet(Live& live, WordRequest& request);
  void meet(Live& live, ProgressRequest& request);
  void meet(Live& live, EndRequest& request);
  void recall(const ports::StoredSummary& stored, SubmitRequest& request);
  void recall(const ports::StoredSummary& stored, FindRequest& request);
  void recall(const ports::StoredSummary& stored, BranchRequest& request);
  void recall(const ports::StoredSummary& stored, WordRequest& request);
  void recall(const ports::StoredSummary& stored, ProgressRequest& request);
  void recall(const ports::StoredSummary& stored, EndRequest& request);
  template <NamesGid R>
  void resolve(R& request, const std::optional<ports::StoredSummary>& stored);
  void begin(SubmitRequest& request);
  void end_lookups(const Error& error);
  void send_lookups();
  void on_looked_up(const std::vector<std::string>& gids,
                    Result<std::vector<std::optional<ports::StoredSummary>>>& result);
  std::vector<GidRequest> take_waiting(const std::string& gid);
  void take_looked_up();
  void add_waiter(Live& live, Waiter waiter);
  void tell(Live& live, bool final_ones);
  void tell_accepted(const Act& act);
  template <class Callback>
  void refuse(const Callback& done, ErrorCode code, std::string detail) {
    ++counters_.refused;
    done(Error{code, std::move(detail)});
  }
  template <class Callback>
  void forbid(const ports::StoredSummary& stored, const Callback& done) {
    refuse(done, ErrorCode::forbidden,
           fmt::format("the {} is {} already", name_of(stored.mode), name_of(stored.status)));
  }
  Report report_of(const Live& live, bool joined) const;
  static Report report_of(const ports::StoredSummary& stored, bool joined = true);

  // calls.cc: branches
  void call(Live& live, std::uint32_t branch, Op op);
  void call_now(Live& live, std::uint32_t branch, Op op);
  void call_or_wait(const PendingCall& call);
  void wait_behind(ports::CallId former, Live& live, std::uint32_t branch, Op op);
  void come_back(ports::CallId id, const PendingCall& former, const Outcome& outcome);
  bool is_held_up(const Live& live) const;
  void call_later(const PendingCall& call);
  bool have_place() const;
  void start_waiting_calls();
  void withdraw_waiting(Live& live);
  void take_answers();
  void take_answer(const Answer& answer);
  void drop_answers();
  void expire_calls();
  void count(const Outcome& outcome);
  void on_outcome(Live& live, std::uint32_t branch, Op op, const Outcome& outcome);
  void park(Live& live, std::uint32_t branch, Op op);

  // commit.cc: batches, rows, the disk's refusals
  void flush();
  void seal();
  void choose_rows();
  void add_row(Live& live);
  void add_snapshot(Live& live);
  void on_committed(const Result<ports::StoreFigures>& result);
  void on_refused(const Error& error);
  static bool is_for_good(const Error& error) { return error.code == ErrorCode::superseded; }
  void give_up(const Error& error);
  void retire_rows();
  void finished(Live& live);
  void give_row(Live& live);
  void forget(Live& live);
  void checkpoint_tick();
  void collect_expired();
  void close_if_done();
  bool is_kept(const core::Transaction& transaction) const;
  void start_time(const Origin& origin);
  std::uint64_t collect_interval() const;
  void end_waits(ErrorCode code, std::string_view detail);
  void end_idle_waits();
  void end_waits_for(Live& live, const Error& error);

  const Options options_;
  const base::Log log_;
  base::LogBurst stuck_lines_;
  Ports ports_;

  // Shared with other threads.
  mutable std::mutex mutex_;
  std::vector<Request> inbox_;
  Load queued_;
  bool taking_ = false;
  std::uint64_t refused_ = 0;
  std::vector<base::Callback<std::monostate>> checks_;
  std::size_t checks_waiting_ = 0;  // all that are not answered yet
  std::vector<XaRealm> realms_;     // all that were ever noted
  Counters published_;

  // The loop's own.
  Phase phase_ = Phase::new_;
  EngineTime time_;
  SeenTime seen_time_;
  bool gaps_changed_ = false;
  std::mt19937_64 random_;
  std::vector<Request> requests_;  // taken from the inbox; reused
  std::size_t next_request_ = 0;   // the first of them that is not yet handled
  bool inbox_left_ = false;        // it had some at the end of the turn
  LiveSet live_;
  const Live* grows_beyond_ = nullptr;  // Limits::live_bytes_max, see may_grow
  DirtyList dirty_;
  DueHeap due_;
  CallTable calls_;
  std::deque<Answer> answers_;  // of calls that are in the table until these are decided
  LaneQueues waiting_;
  ParkedIndex parked_;
  // In order of id; null: it went on before its turn.
  std::deque<std::pair<core::TransactionId, Live*>> to_resume_;
  std::deque<Hastening> hastening_;
  std::uint64_t newest_at_ = 0;
  core::TransactionId last_id_ = 0;
  std::uint64_t epoch_ = 0;
  Counters counters_;
  core::Step step_;

  Lookups lookups_;
  DiskHealth disk_;
  Subscriptions subscriptions_;

  // The open one collects; the sealed one is with the store, as `batch_`.
  OpenBatch open_;
  OpenBatch sealed_;
  ports::Batch batch_;
  BatchBudget budget_;
  CommitCost commit_cost_;
  std::vector<Act> running_answers_;
  // What is to be done now that its batch is on disk, from `next_act_` on.
  std::vector<Act> acts_;
  std::size_t next_act_ = 0;
  std::uint32_t sealed_records_ = 0;
  core::Lsn last_lsn_ = 0;     // handed to the store
  core::Lsn durable_lsn_ = 0;  // on disk
  std::uint64_t log_bytes_ = 0;

  // Rows.
  std::deque<Live*> finished_rows_;  // finished, on disk in the log, without a row
  std::vector<Live*> left_;          // forgotten, and their last call came back
  core::Lsn fold_target_ = 0;        // dirty ones up to here get a row
  core::Lsn folded_below_ = 0;
  core::Lsn lsn_at_tick_ = 0;
  std::uint64_t next_tick_at_ = 0;  // monotonic
  std::uint64_t next_collect_at_ = 0;
  bool collect_under_way_ = false;

  std::vector<HostFigures> hosts_;  // as last handed to the store, or about to be
  bool hosts_changed_ = false;
  bool doubts_storage_ = false;
  std::uint64_t seen_at_ = 0;     // monotonic: when the file was last told the time
  std::size_t realms_taken_ = 0;  // of `realms_`

  std::uint64_t shortage_told_at_ = 0;  // monotonic; 0: not yet

  RecentMax commit_us_;
  RecentMax batch_records_;
  RecentMax due_lag_;

  std::optional<Error> given_up_;  // for good: another engine has the file

  std::vector<base::Callback<std::monostate>> on_closed_;
};

}  // namespace belay::engine
