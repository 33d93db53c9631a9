// Gids and answers: a submit begins a transaction, joins one, or is answered from the history.
#include <algorithm>
#include <iterator>
#include <utility>

#include "base/mark.h"
#include "belay/check.h"
#include "core/apply.h"
#include "engine/engine.h"
#include "engine/limits.h"

namespace belay::engine {
namespace {

constexpr std::string_view kOtherDefinition =
    "this gid was submitted before with another definition";

TimePoint time_point(std::uint64_t ms) { return TimePoint(Millis(static_cast<std::int64_t>(ms))); }

Report report_of(const ports::StoredSummary& stored, bool joined) {
  return Report({.gid = stored.gid,
                 .mode = stored.mode,
                 .status = stored.status,
                 .stuck = false,
                 .reason = stored.reason,
                 .created_at = time_point(stored.created_at),
                 .finished_at = time_point(stored.finished_at),
                 .joined = joined});
}

}  // namespace

// Why nothing new is taken at the moment.
std::optional<Error> Engine::refusal() const {
  if (given_up_) return given_up_;
  if (phase_ != Phase::running) return Error{ErrorCode::closed, "the engine is closing"};
  if (retry_at_ != 0)
    return Error{ErrorCode::storage, "the state file refuses writes at the moment"};
  if (disk_hangs_) return silence();
  return std::nullopt;
}

void Engine::take(SubmitRequest& request) {
  if (const auto error = refusal()) return refuse(request.done, error->code, error->detail);
  const auto gid = request.definition.gid();
  if (auto* live = live_.find(gid)) return join(*live, request);
  if (request.gid_is_new) return begin(request);
  look_up(std::string(gid), std::move(request));
}

void Engine::take(FindRequest& request) {
  if (given_up_) return refuse(request.done, given_up_->code, given_up_->detail);
  if (phase_ != Phase::running)
    return refuse(request.done, ErrorCode::closed, "the engine is closing");
  if (auto* live = live_.find(request.gid)) return watch(*live, request);
  if (disk_hangs_) return refuse(request.done, silence().code, silence().detail);
  auto gid = request.gid;
  look_up(std::move(gid), std::move(request));
}

void Engine::begin(SubmitRequest& request) {
  if (counters_.live >= options_.limits.live_transactions_max) {
    return refuse(request.done, ErrorCode::live_limit,
                  fmt::format("{} transactions are unfinished, the limit is {}", counters_.live,
                              options_.limits.live_transactions_max));
  }
  // First: it bounds the work of what follows.
  if (auto topics = check_topics(request.definition); !topics)
    return refuse(request.done, topics.error().code, topics.error().detail);
  const auto subscribers = subscribers_memory(request.definition);
  if (const auto may = may_add(sizeof(Live) + core::memory_of(request.definition) + subscribers);
      !may)
    return refuse(request.done, may.error().code, may.error().detail);
  const bool prepares = request.entry == core::Entry::prepare;
  core::Record record{.kind = prepares ? core::RecordKind::prepared : core::RecordKind::submitted,
                      .id = ++last_id_,
                      .at = time_.now()};
  record.text = request.definition.bytes();
  write(record);
  auto& live = live_.insert(core::begin(record, std::move(request.definition)));
  live.last_lsn = last_lsn_ + 1;
  dirty_.append(live, live.last_lsn);
  ++counters_.live;
  ++counters_.submitted;
  live.waiters.push_back({std::move(request.done), request.wants_final, 0});
  if (prepares) live.reserved = static_cast<std::uint32_t>(subscribers);
  live_.weigh(live);
  if (!request.wants_final) hold({&live, ActKind::accepted, {}, 0});
  decide(live, core::Begun{});
}

// What the subscribers take whom a message goes to: they share all but their names.
std::size_t Engine::subscribers_memory(const core::Definition& definition) const {
  std::size_t bytes = 0;
  if (definition.mode() != Mode::msg || topics_.empty()) return bytes;
  for (std::uint32_t i = 0; i < definition.branch_count(); ++i) {
    const auto target = definition.step(i).first;
    if (!core::is_topic(target)) continue;
    const auto topic = topics_.find(target.substr(kTopicPrefix.size()));
    if (topic == topics_.end()) continue;
    for (const auto& [subscriber, remark] : topic->second)
      bytes += sizeof(core::Branch) + sizeof(std::uint64_t) + subscriber.size();
  }
  return bytes;
}

// A lone transaction is always taken.
Result<> Engine::may_add(std::size_t bytes) const {
  const auto most = options_.limits.live_bytes_max;
  if (live_.bytes() == 0 || live_.bytes() + bytes <= most) return {};
  BELAY_MARK(live_bytes_ran_out);
  return Error{
      ErrorCode::live_bytes_limit,
      fmt::format("unfinished transactions take {} bytes, with {} more they pass the limit "
                  "of {}",
                  live_.bytes(), bytes, most)};
}

// When the memory is used up, one of those in it may still grow until it has ended, or they could
// all wait for each other's end.
Result<> Engine::may_grow(const Live& live, std::size_t bytes) {
  auto may = may_add(bytes);
  if (may || (grows_beyond_ != nullptr && grows_beyond_ != &live)) return may;
  grows_beyond_ = &live;
  return {};
}

// Whoever waits for an end and says nothing new.
Result<> Engine::may_wait(const Live& live, bool wants_final) const {
  if (!wants_final || live.transaction.finished()) return {};
  return may_add(sizeof(Waiter) + sizeof(Report));
}

void Engine::join(Live& live, SubmitRequest& request) {
  if (!live.transaction.definition.is_same_as(request.definition)) {
    return refuse(request.done, ErrorCode::conflict, std::string(kOtherDefinition));
  }
  resume(live);
  // What was prepared is submitted by its definition as well as by its gid.
  if (request.entry == core::Entry::submit && live.transaction.driven &&
      live.transaction.status == Status::prepared)
    return submit_word(live, Millis{0}, {std::move(request.done), request.wants_final, 0});
  if (const auto may = may_wait(live, request.wants_final); !may)
    return refuse(request.done, may.error().code, may.error().detail);
  add_waiter(live,
             {.done = std::move(request.done), .wants_final = request.wants_final, .joined = true});
}

void Engine::watch(Live& live, FindRequest& request) {
  if (const auto may = may_wait(live, request.wants_final); !may)
    return refuse(request.done, may.error().code, may.error().detail);
  const auto until = request.timeout_ms == 0 ? 0 : time_.monotonic() + request.timeout_ms;
  add_waiter(live, {std::move(request.done), request.wants_final, until});
}

// Whoever joins hears of what is on disk, so the answer itself may have to wait for it.
void Engine::add_waiter(Live& live, Waiter waiter) {
  // Those who went away are dropped when somebody comes: never more of them than there were at
  // once.
  for (auto& old : live.waiters) {
    if (old.until != 0 && old.until <= time_.monotonic()) {
      old.done(Error{ErrorCode::timed_out, "the transaction is not finished yet"});
      old.done = nullptr;
    }
  }
  std::erase_if(live.waiters, [](const Waiter& old) { return !old.done; });
  if (!is_durable(live)) BELAY_MARK(joined_before_durable);
  const bool told_at_the_end = live.transaction.finished() ? !is_durable(live) : waiter.wants_final;
  if (!told_at_the_end && !is_durable(live)) {
    waiter.as_of = std::make_unique<Report>(report_of(live, waiter.joined));
    waiter.lsn = live.last_lsn;
  }
  if (!is_durable(live)) budget_.spend(0, sizeof(Waiter) + sizeof(Report));
  live.waiters.push_back(std::move(waiter));
  live_.weigh(live);
  if (!told_at_the_end) hold_or_release({&live, ActKind::accepted, {}, 0});
}

// If it went on meanwhile: nobody hears what is not on disk, and nobody waits for more than what he
// asked about. Its end tells everybody.
void Engine::tell_accepted(const Act& act) {
  auto& live = *act.live;
  if (is_durable(live)) return tell(live, live.transaction.finished());
  BELAY_MARK(went_on_before_told);
  auto waiters = std::move(live.waiters);
  live.waiters.clear();
  bool again = false;
  for (auto& waiter : waiters) {
    if (waiter.as_of && waiter.lsn <= durable_lsn_) {
      waiter.done(std::move(*waiter.as_of));
    } else {
      again = again || !(waiter.wants_final || waiter.as_of);
      live.waiters.push_back(std::move(waiter));
    }
  }
  live_.weigh(live);
  if (again && !live.transaction.finished()) hold(act);
}

void Engine::tell(Live& live, bool final_ones) {
  if (live.waiters.empty()) return;
  // A callback may bring new requests, but those come by the inbox: the list does not change under
  // us.
  auto waiters = std::move(live.waiters);
  live.waiters.clear();
  const Result<Report> result(report_of(live, false));
  for (auto& waiter : waiters) {
    if (waiter.wants_final && !final_ones) {
      live.waiters.push_back(std::move(waiter));
    } else {
      waiter.done(waiter.joined ? Result<Report>(report_of(live, true)) : result);
    }
  }
  live_.weigh(live);
}

Report Engine::report_of(const Live& live, bool joined) const {
  const auto& transaction = live.transaction;
  return Report({.gid = std::string(transaction.gid()),
                 .mode = transaction.mode(),
                 .status = transaction.status,
                 .stuck = live.stuck,
                 .reason = std::string(core::reason_of(transaction)),
                 .created_at = time_point(transaction.created_at),
                 .finished_at = time_point(transaction.finished() ? transaction.updated_at : 0),
                 .joined = joined});
}

void Engine::look_up(std::string gid, GidRequest request) {
  const auto [waiting, is_new] = lookups_.try_emplace(gid);
  if (is_new) lookups_to_send_.push_back(std::move(gid));
  looking_up_ += load_of(request);
  waiting->second.push_back(std::move(request));
}

// Nobody is left waiting for what the disk does not say; what it says later is heard all the same.
void Engine::end_lookups(const Error& error) {
  std::vector<GidRequest> ended;
  for (auto& [gid, waiting] : lookups_) {
    std::move(waiting.begin(), waiting.end(), std::back_inserter(ended));
    waiting.clear();
  }
  unqueue(std::exchange(looking_up_, {}));
  for (auto& request : ended)
    std::visit([&](auto& one) { refuse(one.done, error.code, error.detail); }, request);
}

void Engine::send_lookups() {
  if (lookup_under_way_ || lookups_to_send_.empty()) return;
  const auto count = std::min(lookups_to_send_.size(), kLookupGids);
  const auto split = lookups_to_send_.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<std::string> gids(std::make_move_iterator(lookups_to_send_.begin()),
                                std::make_move_iterator(split));
  lookups_to_send_.erase(lookups_to_send_.begin(), split);
  lookup_under_way_ = true;
  lookup_begun_at_ = time_.monotonic();
  auto asked = gids;
  ports_.store.lookup(std::move(gids), [this, asked = std::move(asked)](auto result) {
    time_.tick(ports_.clock);
    lookup_under_way_ = false;
    if (!result && is_for_good(result.error())) give_up(result.error());
    on_looked_up(asked, result);
    turn();
  });
}

void Engine::on_looked_up(const std::vector<std::string>& gids,
                          Result<std::vector<std::optional<ports::StoredSummary>>>& result) {
  for (std::size_t i = 0; i < gids.size(); ++i) {
    if (result) {
      looked_up_.push_back({gids[i], std::move((*result)[i])});
      continue;
    }
    for (auto& request : take_waiting(gids[i])) {
      std::visit([&](auto& one) { refuse(one.done, result.error().code, result.error().detail); },
                 request);
    }
  }
}

// All that wait for a gid, those too that came after its lookup: nobody else can have begun it, so
// what the disk said still holds. They go on together, or one of them could begin it and another,
// when it has ended, begin it again.
std::vector<Engine::GidRequest> Engine::take_waiting(const std::string& gid) {
  const auto found = lookups_.find(gid);
  BELAY_CHECK(found != lookups_.end());
  auto requests = std::move(found->second);
  lookups_.erase(found);
  Load load;
  for (const auto& request : requests) load += load_of(request);
  looking_up_ -= load;
  unqueue(load);
  return requests;
}

void Engine::take_looked_up() {
  budget_.spend_on(Share::asked);
  while (!looked_up_.empty() && may_take()) {
    const auto next = std::move(looked_up_.front());
    looked_up_.pop_front();
    for (auto& request : take_waiting(next.gid)) resolve(request, next.stored);
  }
  if (!looked_up_.empty()) BELAY_MARK(lookup_waits_for_batch);
}

namespace {

template <class Request>
const std::string& gid_of(const Request& request) {
  return std::visit(
      [](const auto& one) -> const std::string& {
        static const std::string kNoGid;
        if constexpr (requires { one.gid; }) return one.gid;
        return kNoGid;
      },
      request);
}

}  // namespace

void Engine::resolve(GidRequest& request, const std::optional<ports::StoredSummary>& stored) {
  if (stored) return answer_from_disk(*stored, request);
  // The disk may have begun to refuse, or the engine to close, since it was asked.
  const auto error = refusal();
  const bool ended = given_up_ || phase_ == Phase::closed;
  if (error && (ended || !std::holds_alternative<FindRequest>(request))) {
    return std::visit([&](auto& one) { refuse(one.done, error->code, error->detail); }, request);
  }
  if (auto* submit = std::get_if<SubmitRequest>(&request)) {
    // Whoever asked first has begun it meanwhile.
    if (auto* live = live_.find(submit->definition.gid())) return join(*live, *submit);
    return begin(*submit);
  }
  const auto& gid = gid_of(request);
  auto* live = live_.find(gid);
  const auto unknown = "no transaction with the gid '" + gid + "' is known";
  if (auto* find = std::get_if<FindRequest>(&request)) {
    return live != nullptr ? watch(*live, *find) : find->done(Error{ErrorCode::not_found, unknown});
  }
  if (auto* branch = std::get_if<BranchRequest>(&request)) {
    return live != nullptr ? add_branch(*live, *branch)
                           : refuse(branch->done, ErrorCode::not_found, unknown);
  }
  if (auto* progress = std::get_if<ProgressRequest>(&request)) {
    return live != nullptr ? record_progress(*live, *progress)
                           : refuse(progress->done, ErrorCode::not_found, unknown);
  }
  if (auto* end = std::get_if<EndRequest>(&request)) {
    return live != nullptr ? finish_workflow(*live, *end)
                           : refuse(end->done, ErrorCode::not_found, unknown);
  }
  auto& word = std::get<WordRequest>(request);
  if (live != nullptr) BELAY_MARK(word_met_lookup);
  return live != nullptr ? give_word(*live, word)
                         : refuse(word.done, ErrorCode::not_found, unknown);
}

void Engine::answer_from_disk(const ports::StoredSummary& stored, GidRequest& request) {
  const auto forbid = [&](const auto& done) {
    refuse(done, ErrorCode::forbidden,
           fmt::format("the {} is {} already", name_of(stored.mode), name_of(stored.status)));
  };
  if (auto* submit = std::get_if<SubmitRequest>(&request)) {
    if (!submit->definition.has_hash(stored.definition_hash)) {
      return refuse(submit->done, ErrorCode::conflict, std::string(kOtherDefinition));
    }
    return submit->done(engine::report_of(stored, true));
  }
  if (auto* branch = std::get_if<BranchRequest>(&request)) return forbid(branch->done);
  if (auto* word = std::get_if<WordRequest>(&request)) {
    const bool said_so =
        (word->word == WordRequest::Word::submit && stored.status == Status::succeed) ||
        (word->word == WordRequest::Word::abort && stored.status == Status::failed);
    if (!said_so) return forbid(word->done);
    return word->done(engine::report_of(stored, true));
  }
  if (auto* progress = std::get_if<ProgressRequest>(&request)) return forbid(progress->done);
  if (auto* end = std::get_if<EndRequest>(&request)) {
    if (stored.mode != Mode::workflow || stored.status != end->end.status) return forbid(end->done);
    return end->done(engine::report_of(stored, true));
  }
  std::get<FindRequest>(request).done(engine::report_of(stored, false));
}

}  // namespace belay::engine
