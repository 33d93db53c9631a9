// An engine on ports that do what a test says, when it says so: a clock that stands still, a store
// that commits on command, branches that answer as told.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "belay/tcc.h"
#include "core/definition.h"
#include "engine/coordinator.h"
#include "support/encode.h"

namespace belay::test {

using TopicKind = ports::TopicChange::Kind;

inline const TwoPhaseBranch kSeat{"seat.try", "seat.confirm", "seat.cancel", "7A"};

class FakePorts final : public ports::Clock,
                        public ports::Alarm,
                        public ports::Caller,
                        public ports::Store {
 public:
  std::uint64_t wall_ms() override { return wall; }
  std::uint64_t monotonic_ms() override { return monotonic; }
  void wake_at(std::uint64_t at) override { alarm_at = at; }
  void wake() override { woken = true; }
  void linger() override { ++lingers; }

  Kind kind_of(std::string_view target) override {
    const auto found = kinds.find(target);
    return found == kinds.end() ? default_kind : found->second;
  }
  Result<> check(std::string_view target, std::string_view payload,
                 const std::vector<Header>& /*headers*/) override {
    const auto wanted = std::string(target).append(" with ").append(payload);
    if (wanted != uncallable) return {};
    return Error{ErrorCode::unsupported, wanted};
  }
  Outcome call_now(const Call& call) override {
    note(call);
    const auto found = outcomes.find(call.target);
    return found == outcomes.end() ? Outcome::success() : found->second;
  }
  // By the target's first letter; open unless shut.
  ports::Lane lane_of(std::string_view target) override {
    return static_cast<unsigned char>(target.front());
  }
  bool has_place(ports::Lane lane) override { return !shut.contains(static_cast<char>(lane)); }
  std::optional<std::string> why_shut(ports::Lane lane) override {
    if (!broken.contains(static_cast<char>(lane))) return std::nullopt;
    return "the breaker is open";
  }
  // "http://host/path" is at the host "http://host".
  std::string host_of(std::string_view target) override {
    const auto slash = target.find('/', target.find("//") + 2);
    return target.find("//") == std::string_view::npos ? "" : std::string(target.substr(0, slash));
  }
  std::vector<HostFigures> hosts() override { return host_figures; }
  void call_later(ports::CallId id, const Call& call) override {
    note(call);
    fences.push_back(call.fence);
    later.push_back(id);
  }

  void commit(const ports::Batch& batch, CommitDone done) override {
    committing = &batch;
    commit_done = std::move(done);
  }
  void lookup(std::vector<std::string> gids, LookupDone done) override {
    looked_up = std::move(gids);
    lookup_done = std::move(done);
  }
  void read_posted(const PostedQuery& query, PostedDone done) override {
    posted_query = query;
    posted_done = std::move(done);
  }
  void collect(const Expiry& expiry, CollectDone done) override {
    collected = expiry;
    collect_done = std::move(done);
  }

  std::uint64_t wall = 1'700'000'000'000;
  std::uint64_t monotonic = 1'000;
  std::uint64_t alarm_at = 0;
  bool woken = false;
  int lingers = 0;  // how many turns asked for it
  Kind default_kind = Kind::immediate;
  std::map<std::string, Kind, std::less<>> kinds;
  std::string uncallable;  // "TARGET with PAYLOAD"
  std::map<std::string, Outcome, std::less<>> outcomes;
  std::vector<std::string> calls;
  std::vector<std::string> targets;  // of those
  std::vector<Mode> modes;           // likewise
  std::vector<std::uint64_t> fences;
  std::vector<ports::CallId> later;
  std::set<char> shut;    // lanes
  std::set<char> broken;  // lanes whose host does not answer
  std::vector<HostFigures> host_figures;
  const ports::Batch* committing = nullptr;
  CommitDone commit_done;
  std::vector<std::string> looked_up;
  LookupDone lookup_done;
  std::optional<PostedQuery> posted_query;
  PostedDone posted_done;
  std::optional<Expiry> collected;
  CollectDone collect_done;

 private:
  void note(const Call& call) {
    calls.push_back(std::string(call.branch_id) + " " + std::string(name_of(call.op)));
    targets.emplace_back(call.target);
    modes.push_back(call.mode);
  }
};

class TestEngine {
 public:
  explicit TestEngine(Options wanted = {}, engine::Origin origin = {.epoch = 1},
                      const engine::BatchLimits& limits = {})
      : options(wanted), engine(options, {ports, ports, ports, ports}, limits) {
    engine.start(origin);
    engine.turn();
    collect();
  }

  // The answer comes to `answers[name]`.
  Result<> submit(Description description, const std::string& name, bool wants_final = true) {
    return enter(description, core::Entry::submit, name, wants_final);
  }
  Result<> prepare(Description description, const std::string& name) {
    return enter(description, core::Entry::prepare, name, false);
  }
  Result<> submit_word(const std::string& gid, const std::string& name) {
    return handed_in(
        engine.ask(engine::WordRequest{gid, engine::WordRequest::Word::submit, {}, answer(name)}));
  }
  Result<> abort_word(const std::string& gid, const std::string& name) {
    return handed_in(engine.ask(engine::WordRequest{gid, engine::WordRequest::Word::abort,
                                                    "changed my mind", answer(name)}));
  }
  // The answer comes to `told[name]`.
  Result<> branch(const std::string& gid, const TwoPhaseBranch& branch, const std::string& name) {
    auto step = core::encode_branch(branch, options.limits);
    if (!step) return step.error();
    return handed_in(
        engine.ask(engine::BranchRequest{gid, std::move(*step), keep(told, name), branch.mode}));
  }
  // The answers come to `changed[name]` and `listed[name]`.
  Result<> subscribe(const Subscription& subscription, const std::string& name) {
    return handed_in(engine.ask(
        engine::TopicRequest{{subscription, TopicKind::subscribe}, keep(changed, name)}));
  }
  Result<> unsubscribe(const Subscription& subscription, const std::string& name) {
    return handed_in(engine.ask(
        engine::TopicRequest{{subscription, TopicKind::unsubscribe}, keep(changed, name)}));
  }
  Result<> remove_topic(const std::string& topic, const std::string& name) {
    return handed_in(engine.ask(
        engine::TopicRequest{{{topic, "", ""}, TopicKind::remove}, keep(changed, name)}));
  }
  Result<> list_topics(const std::string& name) {
    return handed_in(engine.ask(engine::TopicsRequest{keep(listed, name)}));
  }
  Result<> progress(const std::string& gid, const Progress& progress, const std::string& name) {
    auto step = core::encode_progress(progress, options.limits);
    if (!step) return step.error();
    return handed_in(
        engine.ask(engine::ProgressRequest{gid, std::move(*step), keep(changed, name)}));
  }
  Result<> finish(const std::string& gid, const WorkflowEnd& end, const std::string& name) {
    BELAY_TRY(core::check_end(end, options.limits));
    return handed_in(engine.ask(engine::EndRequest{gid, end, answer(name)}));
  }
  std::optional<ErrorCode> error_of(const std::string& name) const {
    if (const auto code = error_in(answers, name)) return code;
    if (const auto code = error_in(told, name)) return code;
    if (const auto code = error_in(changed, name)) return code;
    return error_in(listed, name);
  }
  // The answer comes to `changed[name]`.
  Result<> check_storage(const std::string& name) {
    return handed_in(engine.check_storage(keep(changed, name)));
  }
  ReportCallback answer(const std::string& name) { return keep(answers, name); }

  // Nothing is known on disk unless the test put it into `on_disk`.
  void answer_lookup() {
    while (ports.lookup_done) {
      std::vector<std::optional<ports::StoredSummary>> found;
      for (const auto& gid : ports.looked_up) {
        const auto stored = on_disk.find(gid);
        found.push_back(stored == on_disk.end() ? std::nullopt : std::optional(stored->second));
      }
      std::exchange(ports.lookup_done, nullptr)(std::move(found));
    }
  }
  bool commit(const ports::StoreFigures& figures = {}) { return finish_commit(figures); }
  bool supersede() {
    return finish_commit(Error{ErrorCode::superseded, "another engine writes to state.db"});
  }
  bool refuse_commit() { return finish_commit(Error{ErrorCode::storage, "disk full"}); }
  // Commits until there is nothing to commit.
  void settle() {
    while (commit() || collect()) {
    }
  }
  void advance(std::uint64_t ms) {
    ports.monotonic += ms;
    ports.wall += ms;
    engine.turn();
  }

  Options options;
  FakePorts ports;
  engine::Coordinator engine;
  std::map<std::string, Result<Report>> answers;
  std::map<std::string, Result<Outcome>> told;
  std::map<std::string, Result<>> changed;
  std::map<std::string, Result<std::vector<Topic>>> listed;
  std::map<std::string, int> answered;  // how often, of all of them
  std::map<std::string, ports::StoredSummary> on_disk;

 private:
  template <class T>
  std::function<void(const Result<T>&)> keep(std::map<std::string, Result<T>>& results,
                                             const std::string& name) {
    return [this, &results, name](const Result<T>& result) {
      ++answered[name];
      results.insert_or_assign(name, result);
    };
  }
  template <class Results>
  static std::optional<ErrorCode> error_in(const Results& results, const std::string& name) {
    const auto found = results.find(name);
    if (found == results.end() || found->second) return std::nullopt;
    return found->second.error().code;
  }
  Result<> enter(Description description, core::Entry entry, const std::string& name,
                 bool wants_final) {
    const auto& gid = core::draft_of(description).settings->gid;
    auto bytes = encode(description, gid, options.limits, entry);
    if (!bytes) return bytes.error();
    auto definition = core::Definition::parse(std::move(*bytes));
    if (!definition) return definition.error();
    return handed_in(engine.ask(
        engine::SubmitRequest{std::move(*definition), entry, false, wants_final, answer(name)}));
  }
  Result<> handed_in(Result<> result) {
    engine.turn();
    answer_lookup();
    return result;
  }
  bool finish_commit(const Result<ports::StoreFigures>& result) {
    if (!ports.commit_done) return false;
    std::exchange(ports.commit_done, nullptr)(result);
    return true;
  }
  bool collect() {
    if (!ports.collect_done) return false;
    std::exchange(ports.collect_done, nullptr)(false);
    return true;
  }
};

inline Saga two_steps(const std::string& gid) {
  return Saga(gid).step("a", "undo a", "payload").step("b", "undo b", "payload");
}

}  // namespace belay::test
