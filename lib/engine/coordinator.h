// The coordinator runs the turn: it collects requests, outcomes and due times, lets the core
// decide, commits the decisions, and then acts. Nothing acts before it is committed. The
// coordinator has access to files, sockets and the loop's library only through the ports.
//
// The members are the parts of the engine; each part has a header of its own and knows neither the
// other parts nor the coordinator. All functions, and all callbacks of the ports, run on the loop
// unless their comment says "from any thread".
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <vector>

#include "base/log.h"
#include "base/log_burst.h"
#include "belay/requests.h"
#include "core/decide.h"
#include "engine/act_queue.h"
#include "engine/batches.h"
#include "engine/budget.h"
#include "engine/checkpoint.h"
#include "engine/collect_schedule.h"
#include "engine/disk_health.h"
#include "engine/due_heap.h"
#include "engine/engine_time.h"
#include "engine/extras.h"
#include "engine/figures.h"
#include "engine/hastening.h"
#include "engine/inbox.h"
#include "engine/live.h"
#include "engine/live_set.h"
#include "engine/lookups.h"
#include "engine/memory_limit.h"
#include "engine/outgoing_calls.h"
#include "engine/parked.h"
#include "engine/ports.h"
#include "engine/posted_requests.h"
#include "engine/realms.h"
#include "engine/requests.h"
#include "engine/resume_queue.h"
#include "engine/storage_checks.h"
#include "engine/stuck.h"
#include "engine/subscriptions.h"

namespace belay::engine {

class Coordinator {
 public:
  // Without a log it makes one of the options.
  Coordinator(const Options& options, Ports ports, const BatchLimits& limits = {},
              std::optional<base::Log> log = {});

  // Before `start`: one recovered transaction, in any order; the lsns are those that the store
  // reports.
  void adopt(core::Transaction transaction, core::Lsn first_lsn, core::Lsn last_lsn, bool has_row);
  void adopt_topics(core::Topics topics) { subscriptions_.adopt(std::move(topics)); }
  void adopt_holds(std::vector<Hold> holds) { calls_.holds().adopt(std::move(holds)); }
  void start(const Origin& origin);

  // From any thread. An error is returned at once, and the request's `done` never runs. Otherwise
  // `done` runs once, on the loop, in a later turn. Errors: closed, busy, queued_bytes_limit.
  Result<> ask(Request request) { return inbox_.put(std::move(request)); }
  // From any thread. The answer comes within seconds even if the disk hangs. Errors: closed, busy.
  Result<> check_storage(base::Callback<std::monostate> done);
  // From any thread, also before `start`. The next batch writes the realm. Errors:
  // invalid_argument.
  Result<> note_realm(const XaRealm& realm);
  Counters counters() const { return inbox_.counters(); }  // from any thread

  void turn();
  void answer(ports::CallId id, const Outcome& outcome);
  // Calls that wait for this lane may go on, in a later turn: see ports::Caller.
  void lane_opened(ports::Lane lane);
  // The state file does not look as it should. A write will show whether the file still works.
  void doubt_storage(const Error& error);
  // Another program wrote to the state file: it may have posted requests.
  void look_for_posted();
  bool closed() const { return phase_ == Phase::closed; }

 private:
  enum class Phase : std::uint8_t { new_, running, closing, closed };

  // coordinator.cc: the turn; decisions and their effects.
  void take_requests();
  bool may_take() const;
  void fire_due();
  bool may_resume() const;
  void resume_some();
  void resume(Live& live);
  bool stop_resuming(Live& live);
  void decide(Live& live, const core::Event& event);
  void note_stuck(Live& live);
  void hold_or_release(const Act& act);
  void release(const Act& act);
  void carry_out();
  bool is_worth_overlapping() const;
  void set_alarm();
  void publish();

  // requests.cc: how a request finds its transaction, in memory or in the history.
  template <NamesGid R>
  void take(R& request);
  void send_lookups();
  void on_looked_up(const std::vector<std::string>& gids, ports::Store::Found& result);
  void take_looked_up();
  template <NamesGid R>
  void resolve(R& request, const std::optional<ports::StoredSummary>& stored);
  std::optional<Error> end_of_service() const;
  std::optional<Error> refusal() const;
  template <class Callback>
  void refuse(const Callback& done, const Error& error) {
    ++figures_.counters.refused;
    done(error);
  }

  // What is in the way of a change of a topic or a hold may not be on disk yet: then the refusal
  // waits for it. A refusal in the file is in a later batch anyway.
  template <class R>
  void refuse_after_changes(const R& request, const Error& error) {
    if (request.posted != 0) return refuse(request.done, error);
    ++figures_.counters.refused;
    batches_.answer_after_changes([done = request.done, error](const Result<>& result) {
      done(result ? Result<>(error) : result);
    });
  }

  // posted.cc: the requests that other processes post in the state file.
  void read_posted();
  void take_posted();
  void take(ports::PostedRequest& posted);
  bool take_about_none(belay::Request& asked, std::int64_t posted);
  void posted_told(std::int64_t posted, const Result<Report>& result);
  void answer_posted(std::int64_t posted, std::string_view answer, std::string_view detail);
  // The request was decided: its answer goes into the batch with its effect.
  template <class R>
  void note_taken(const R& request) {
    if constexpr (requires { request.posted; })
      if (posted_.is_open(request.posted)) answer_posted(request.posted, ports::kPostedTaken, {});
  }

  // A posted request that waited for the same lookup as a request before it, which must wait: so it
  // waits too.
  template <NamesGid R>
  bool puts_off(const R& request) {
    if constexpr (requires { request.posted; }) {
      if (!posted_.is_open(request.posted) || !posted_.is_deferred(request.key())) return false;
      posted_.defer(request.posted, false, time_.monotonic());
      return true;
    }
    return false;
  }

  // submit.cc, driven.cc, workflow.cc, operator.cc, topics.cc: what the requests do.
  void begin(SubmitRequest& request);
  void meet(Live& live, SubmitRequest& request);
  void meet(Live& live, FindRequest& request);
  void meet(Live& live, BranchRequest& request);
  void meet(Live& live, WordRequest& request);
  void meet(Live& live, ProgressRequest& request);
  void meet(Live& live, EndRequest& request);
  void submit_word(Live& live, Millis delay, Waiter waiter);
  void add_waiter(Live& live, Waiter waiter);
  void tell_accepted(const Act& act);
  void stop(Live& live, WordRequest& request);
  void hasten(Live& live, WordRequest& request);
  void resolve_branch(Live& live, WordRequest& request);
  std::optional<std::uint32_t> find_branch(const Live& live, const WordRequest& request);
  bool waits_for_place(const Live& live, std::uint32_t branch, const Result<>& may) const;
  void turn_back(Live& live, WordRequest& request);
  void take(HastenRequest& request);
  void hasten_some();
  void end_hastening(const Error& error);
  void take(TopicRequest& request);
  void take(TopicsRequest& request);

  // edit.cc: an operator changes what a branch is called with.
  void edit_branch(Live& live, WordRequest& request);
  void park_again(Live& live);

  // hold.cc: what an operator asks that is about no transaction.
  void take(HoldRequest& request);
  void release_targets(const std::vector<ports::HoldChange>& changes);
  void take(LogLevelRequest& request);

  // branches.cc: calls and their outcomes.
  void call(Live& live, std::uint32_t branch, Op op);
  void on_outcome(Live& live, std::uint32_t branch, Op op, const Outcome& outcome);
  void start_waiting_calls();
  void withdraw_unwanted(Live& live);
  void note_held_back();
  void take_answers();
  void take_answer(const OutgoingCalls::Answer& answer);
  void come_back(ports::CallId id, const PendingCall& former, const Outcome& outcome);
  void expire_calls();
  void take(RegisteredRequest& request);
  void wake_parked();

  // commit.cc: batches, and a disk that refuses or hangs.
  void flush();
  void on_committed(const Result<ports::StoreFigures>& result);
  void on_refused(const Error& error);
  bool give_up_if_superseded(const Error& error);
  void note_silence();
  void take_checks();
  void fail_checks(const Error& error);
  void collect_expired();

  // close.cc: how transactions leave memory, and how the engine closes.
  void finished(Live& live);
  void give_row(Live& live);
  void retire_rows();
  void forget(Live& live);
  void let_go(Live& live);
  void take(CloseRequest& request);
  void close_if_done();
  void answer_leftovers();
  void end_waits(ErrorCode code, std::string_view detail);
  void end_idle_waits();

  const Options options_;
  const base::Log log_;
  Ports ports_;
  Inbox inbox_;
  StorageChecks checks_;
  Realms realms_;

  Phase phase_ = Phase::new_;
  EngineTime time_;
  std::mt19937_64 random_;
  core::Step step_;
  Figures figures_;
  std::optional<Error> given_up_;  // set for good when another engine has the file
  std::vector<base::Callback<std::monostate>> on_closed_;

  // Transactions, and what they wait for.
  LiveSet live_;
  MemoryLimit memory_;
  DueHeap due_;
  OutgoingCalls calls_;
  ParkedIndex parked_;
  ResumeQueue to_resume_;
  HastenQueue hastening_;
  Lookups lookups_;
  PostedRequests posted_;
  base::LogBurst posted_lines_;
  Subscriptions subscriptions_;
  StuckWatch stuck_;
  core::TransactionId last_id_ = 0;
  std::uint64_t newest_at_ = 0;  // the newest time in the recovered transactions

  // The disk.
  Batches batches_;
  BatchBudget budget_;
  ActQueue acts_;  // effects to carry out, as their batch is on disk
  DiskHealth disk_;
  Checkpoint checkpoint_;
  Extras extras_;
  CollectSchedule collecting_;
};

}  // namespace belay::engine
