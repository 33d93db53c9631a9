#include "unit/core/world.h"

#include <memory>
#include <unordered_map>
#include <utility>

#include "base/bytes.h"
#include "belay/check.h"
#include "core/apply.h"
#include "core/codec.h"
#include "core/consistent.h"
#include "core/edit.h"
#include "unit/core/transactions.h"

namespace belay::test {
namespace {

constexpr std::uint64_t kLongWay = 100'000;  // further than any timeout, delay or retry

enum class Move {
  success,
  failure,
  ongoing,
  unknown,
  unregistered,
  held_back,
  withdrawn,
  registered,
  due,
  deadline,
  add,
  word_submit,
  word_abort,
  late_add,
  late_submit,
  late_abort,
  subscriptions,
  progress,
  end_well,
  end_badly,
  crash,
  crash_and_later,
  crash_and_earlier,
  stop,
  hasten,
  back,
  resolve_well,
  resolve_badly,
  resolve_waiting,
  edit,
  edit_waiting,
  crash_and_edit,
  crash_and_back,
};

constexpr const char* kMoveNames[] = {
    "success ",
    "failure ",
    "ongoing ",
    "unknown ",
    "unregistered ",
    "held back ",
    "withdrawn ",
    "registered ",
    "due ",
    "deadline ",
    "add ",
    "word submit ",
    "word abort ",
    "late add ",
    "late submit ",
    "late abort ",
    "subscriptions ",
    "progress ",
    "end well ",
    "end badly ",
    "crash ",
    "crash+later ",
    "crash+earlier ",
    "stop ",
    "hasten ",
    "back ",
    "resolve well ",
    "resolve badly ",
    "resolve waiting ",
    "edit ",
    "edit waiting ",
    "crash+edit ",
    "crash+back ",
};

struct Option {
  Move move{};
  std::uint32_t branch = 0;
};

Outcome outcome_of(Move move) {
  switch (move) {
    case Move::success: return Outcome::success();
    case Move::failure: return Outcome::failure("refused");
    case Move::ongoing: return Outcome::ongoing("later");
    default: return Outcome::unknown("lost");
  }
}

// The records of a sealed batch, applied: to a transaction, or as its beginning.
bool fold(std::string_view batch, std::optional<core::Transaction>& transaction) {
  auto reader = core::BatchReader::open(batch);
  if (!reader) return false;
  for (;;) {
    const auto record = reader->next();
    if (!record) return false;
    if (!*record) return true;
    if (!transaction) {
      auto begun = core::begin(**record);
      if (!begun) return false;
      transaction.emplace(std::move(*begun));
    } else if (!core::apply(*transaction, **record)) {
      return false;
    }
  }
}

bool fold_all(const Past& past, std::optional<core::Transaction>& transaction) {
  return (past.before == nullptr || fold_all(*past.before, transaction)) &&
         (past.batch.empty() || fold(past.batch, transaction));
}

class World {
 public:
  World(const Scenario& scenario, const Story& opening, const Faults& faults, Findings& findings);
  World(const World& other)
      : scenario_(other.scenario_),
        faults_(other.faults_),
        findings_(other.findings_),
        story_(other.story_->clone()),
        transaction_(core::clone(other.transaction_)),
        past_(other.past_),
        now_(other.now_),
        topics_(other.topics_),
        added_(other.added_),
        progressed_(other.progressed_) {}

  std::vector<Option> options() const;
  void take(const Option& option);
  // What is looked at once a state, on the first way that leads there.
  void examine_state(const World* before);
  // The same for worlds that cannot be told apart from here on.
  std::string key() const;
  void ended() const {
    findings_.examine(Property::everything_ends, transaction_.finished(), *past_);
  }

 private:
  void decide(const core::Event& event, std::string what, core::BatchWriter& batch);
  bool takes_yes(Op op) const;
  bool goes_to_nobody() const;
  void list_calls(std::vector<Option>& list) const;
  void list_words(std::vector<Option>& list) const;
  void answer(const Option& option, std::string what);
  void resolve(const Option& option, std::string what);
  void edit(const Option& option, std::string what);
  void crash(Move move);
  void refused(const core::Record& record);
  void refuses_all_records();
  void nothing_follows(const core::Event& event, Property property);
  core::Context context() const {
    static const Options engine;
    return {.now = now_,
            .random = 0,
            .options = &engine,
            .topics = scenario_.topics.empty() ? nullptr : &scenario_.topics[topics_]};
  }

  std::uint32_t branch_count() const {
    return static_cast<std::uint32_t>(transaction_.branches.size());
  }

  const Scenario& scenario_;
  Faults faults_;
  Findings& findings_;
  std::unique_ptr<Story> story_;
  core::Transaction transaction_;
  std::shared_ptr<const Past> past_;
  std::uint64_t now_ = kBegin;
  std::size_t topics_ = 0;      // which of the scenario's
  std::size_t added_ = 0;       // how many of the scenario's
  std::size_t progressed_ = 0;  // likewise
};

World::World(const Scenario& scenario, const Story& opening, const Faults& faults,
             Findings& findings)
    : scenario_(scenario), faults_(faults), findings_(findings), story_(opening.clone()) {
  const core::Record first{
      .kind = scenario.driven ? core::RecordKind::prepared : core::RecordKind::submitted,
      .id = 7,
      .at = kBegin,
      .text = scenario.definition};
  auto begun = core::begin(first);
  BELAY_CHECK(begun.has_value());
  transaction_ = std::move(*begun);
  core::BatchWriter batch;
  batch.add(first);
  decide(core::Begun{}, scenario.name, batch);
}

// A back-check's yes is asked for again while a topic has no subscriber.
bool World::takes_yes(Op op) const {
  return story_->takes_yes() && (op != Op::query || !goes_to_nobody());
}

bool World::goes_to_nobody() const {
  if (scenario_.topics.empty()) return false;
  for (std::uint32_t i = 0; i < branch_count(); ++i) {
    const auto target = transaction_.definition.step(i).first;
    if (!core::is_topic(target)) continue;
    const auto& topics = scenario_.topics[topics_];
    const auto topic = topics.find(target.substr(kTopicPrefix.size()));
    if (topic == topics.end() || topic->second.subscribers.empty()) return true;
  }
  return false;
}

void World::list_calls(std::vector<Option>& list) const {
  for (std::uint32_t i = 0; i < branch_count(); ++i) {
    const bool pending = core::is_pending(transaction_, i);
    if (const auto out = story_->call_out(i)) {
      if (takes_yes(*out) || faults_.unanswered > 0) list.push_back({Move::success, i});
      if (story_->takes_no(*out) || faults_.unanswered > 0) list.push_back({Move::failure, i});
      if (faults_.unanswered > 0) list.push_back({Move::ongoing, i});
      if (faults_.unanswered > 0) list.push_back({Move::unknown, i});
      const bool wanted = pending && *out == core::current_op(transaction_, i);
      if (!wanted) list.push_back({Move::withdrawn, i});
      if (wanted && faults_.operator_words > 0 && !scenario_.is_workflow &&
          !(*out == Op::query && goes_to_nobody()))
        list.push_back({Move::resolve_waiting, i});
      if (wanted && faults_.operator_words > 0) list.push_back({Move::edit_waiting, i});
      if (wanted && faults_.unregistered > 0) list.push_back({Move::unregistered, i});
      if (wanted && faults_.unregistered > 0 && !transaction_.branches[i].parked)
        list.push_back({Move::held_back, i});
    } else if (transaction_.branches[i].parked && pending) {
      list.push_back({Move::registered, i});
    }
    if (faults_.operator_words == 0) continue;
    const bool sends = transaction_.definition.is_query(i);
    const auto op = core::current_op(transaction_, i);
    if (core::may_resolve(transaction_, i, op, false) && !(sends && goes_to_nobody()))
      list.push_back({Move::resolve_well, i});
    if (core::may_resolve(transaction_, i, op, true)) list.push_back({Move::resolve_badly, i});
    if (pending && core::may_edit(transaction_, i, op)) list.push_back({Move::edit, i});
    if (pending && faults_.crashes > 0) list.push_back({Move::crash_and_edit, i});
  }
}

void World::list_words(std::vector<Option>& list) const {
  const bool may_be_late = core::deadline_of(transaction_) != 0;
  const auto word = [&](bool may, Move in_time, Move late) {
    if (may) list.push_back({in_time});
    if (may && may_be_late) list.push_back({late});
  };
  const bool more = added_ < scenario_.additions.size();
  word(more && core::may_add_branch(transaction_), Move::add, Move::late_add);
  word(core::may_submit(transaction_).has_value(), Move::word_submit, Move::late_submit);
  word(core::may_abort(transaction_).has_value(), Move::word_abort, Move::late_abort);
  if (scenario_.is_workflow && core::may_progress(transaction_)) {
    if (progressed_ < scenario_.progress.size()) list.push_back({Move::progress});
    list.push_back({Move::end_well});
    list.push_back({Move::end_badly});
  }
  if (topics_ + 1 < scenario_.topics.size() && !transaction_.finished())
    list.push_back({Move::subscriptions});
}

std::vector<Option> World::options() const {
  std::vector<Option> list;
  list_calls(list);
  list_words(list);
  const auto due = core::next_due(transaction_);
  const auto deadline = core::deadline_of(transaction_);
  if (due != 0) list.push_back({Move::due});
  if (deadline != 0 && deadline != due) list.push_back({Move::deadline});
  if (faults_.crashes > 0 && !transaction_.finished()) {
    list.push_back({Move::crash});
    if (due != 0) list.push_back({Move::crash_and_later});
    if (due != 0) list.push_back({Move::crash_and_earlier});
  }
  if (faults_.operator_words > 0 && !transaction_.finished()) {
    if (!transaction_.stopped) list.push_back({Move::stop});
    if (core::next_hastened(transaction_) != 0) list.push_back({Move::hasten});
    if (core::may_turn_back(transaction_) && !core::may_abort(transaction_))
      list.push_back({Move::back});
    if (core::may_turn_back(transaction_) && faults_.crashes > 0)
      list.push_back({Move::crash_and_back});
  }
  return list;
}

void World::answer(const Option& option, std::string what) {
  const auto op = *story_->call_out(option.branch);
  const bool ends = (option.move == Move::success && takes_yes(op)) ||
                    (option.move == Move::failure && story_->takes_no(op));
  if (!ends) --faults_.unanswered;
  const auto outcome = outcome_of(option.move);
  core::BatchWriter batch;
  decide(core::Answered{option.branch, op, &outcome}, std::move(what), batch);
}

void World::resolve(const Option& option, std::string what) {
  --faults_.operator_words;
  const auto outcome =
      option.move == Move::resolve_badly ? Outcome::failure("refused") : Outcome::success();
  core::BatchWriter batch;
  const bool waits = option.move == Move::resolve_waiting;
  decide(core::WordResolve{option.branch, &outcome, "by hand", waits}, std::move(what), batch);
}

void World::edit(const Option& option, std::string what) {
  --faults_.operator_words;
  const bool resumes = option.move == Move::crash_and_edit;
  if (resumes) crash(option.move);
  const auto op = core::current_op(transaction_, option.branch);
  const auto text = core::edit(transaction_, option.branch, op, {.payload = "edited"}, "by hand",
                               Limits{}, [](auto, auto, const auto&) { return Result<>(); });
  BELAY_CHECK(text.has_value());
  core::BatchWriter batch;
  const bool waits = option.move == Move::edit_waiting;
  decide(core::WordEdit{option.branch, op, *text, waits, resumes}, std::move(what), batch);
}

void World::take(const Option& option) {
  std::string what = kMoveNames[static_cast<std::size_t>(option.move)];
  what += static_cast<char>('1' + option.branch);
  core::BatchWriter batch;
  switch (option.move) {
    case Move::success:
    case Move::failure:
    case Move::ongoing:
    case Move::unknown: return answer(option, std::move(what));
    case Move::unregistered:
      --faults_.unregistered;
      return decide(core::Unregistered{option.branch, *story_->call_out(option.branch)}, what,
                    batch);
    case Move::held_back:
      --faults_.unregistered;
      return decide(core::HeldBack{option.branch, "its host does not answer"}, what, batch);
    case Move::withdrawn: return decide(core::Withdrawn{option.branch}, what, batch);
    case Move::registered: return decide(core::Registered{option.branch}, what, batch);
    case Move::due: now_ = core::next_due(transaction_); return decide(core::Due{}, what, batch);
    case Move::deadline:
      now_ = core::deadline_of(transaction_);
      return decide(core::Due{}, what, batch);
    case Move::late_add: now_ = core::deadline_of(transaction_); [[fallthrough]];
    case Move::add: return decide(core::Added{scenario_.additions[added_++]}, what, batch);
    case Move::late_submit: now_ = core::deadline_of(transaction_); [[fallthrough]];
    case Move::word_submit: return decide(core::WordSubmit{}, what, batch);
    case Move::late_abort: now_ = core::deadline_of(transaction_); [[fallthrough]];
    case Move::word_abort: return decide(core::WordAbort{"changed my mind"}, what, batch);
    case Move::subscriptions:  // heard of by the next decision; nothing is decided now
      ++topics_;
      past_ = std::make_shared<const Past>(Past{past_, std::move(what), {}});
      return;
    case Move::progress:
      return decide(core::Progressed{scenario_.progress[progressed_++]}, what, batch);
    case Move::end_well: return decide(core::WordEnd{&end_of_plans(true)}, what, batch);
    case Move::end_badly: return decide(core::WordEnd{&end_of_plans(false)}, what, batch);
    case Move::stop:
      --faults_.operator_words;
      return decide(core::WordStop{kStopReason}, what, batch);
    case Move::hasten: --faults_.operator_words; return decide(core::Hastened{}, what, batch);
    case Move::back:
      --faults_.operator_words;
      return decide(core::WordAbort{"changed my mind"}, what, batch);
    case Move::resolve_well:
    case Move::resolve_badly:
    case Move::resolve_waiting: return resolve(option, std::move(what));
    case Move::edit:
    case Move::edit_waiting:
    case Move::crash_and_edit: return edit(option, std::move(what));
    case Move::crash_and_back:
      --faults_.operator_words;
      crash(option.move);
      return decide(core::WordAbort{"changed my mind", true}, what, batch);
    case Move::crash:
    case Move::crash_and_later:
    case Move::crash_and_earlier: crash(option.move); return decide(core::Resumed{}, what, batch);
  }
}

void World::crash(Move move) {
  --faults_.crashes;
  std::optional<core::Transaction> folded;
  if (fold_all(*past_, folded))
    transaction_ = std::move(*folded);  // else: examined, and reported, at every state
  if (move == Move::crash_and_later) now_ += kLongWay;
  if (move == Move::crash_and_earlier) now_ -= kLongWay;
}

void World::decide(const core::Event& event, std::string what, core::BatchWriter& batch) {
  core::Step step;
  core::decide(transaction_, event, context(), step);
  for (const auto& record : step.records) batch.add(record);
  past_ = std::make_shared<const Past>(Past{past_, std::move(what), batch.take()});
  story_->step(event, context(), step, findings_, *past_);
  story_->rest(transaction_, now_, findings_, *past_);
}

void World::nothing_follows(const core::Event& event, Property property) {
  auto twin = core::clone(transaction_);
  core::Step step;
  core::decide(twin, event, context(), step);
  findings_.examine(
      property,
      step.records.empty() && step.effects.empty() && difference(twin, transaction_).empty(),
      *past_);
}

void World::examine_state(const World* before) {
  story_->examine_state(transaction_, findings_, *past_);
  std::optional<core::Transaction> folded;
  const bool folds = fold_all(*past_, folded) && difference(*folded, transaction_).empty();
  findings_.examine(Property::fold_is_live, folds, *past_);
  findings_.examine(Property::consistent, core::is_consistent(transaction_), *past_);
  if (before != nullptr) {
    auto snapshot = core::decode_snapshot(core::encode_snapshot(before->transaction_));
    std::optional<core::Transaction> later;
    if (snapshot) later.emplace(std::move(*snapshot));
    const bool same = later && (past_->batch.empty() || fold(past_->batch, later)) &&
                      difference(*later, transaction_).empty();
    findings_.examine(Property::snapshot_is_live, same, *past_);
  }
  const auto due = core::next_due(transaction_);
  if (due == 0 || due > now_) nothing_follows(core::Due{}, Property::early_wake_up);
  for (std::uint32_t i = 0; i < branch_count(); ++i) {
    if (!transaction_.branches[i].parked)
      nothing_follows(core::Registered{i}, Property::early_wake_up);
  }
  if (!transaction_.finished()) return;
  nothing_follows(core::Due{}, Property::final_is_final);
  nothing_follows(core::Resumed{}, Property::final_is_final);
  nothing_follows(core::Hastened{}, Property::final_is_final);
  for (std::uint32_t i = 0; i < branch_count(); ++i)
    nothing_follows(core::Registered{i}, Property::final_is_final);
  refuses_all_records();
}

void World::refused(const core::Record& record) {
  auto twin = core::clone(transaction_);
  const bool refused = !core::apply(twin, record) && difference(twin, transaction_).empty();
  findings_.examine(Property::final_is_final, refused, *past_);
}

// Whatever comes after the end.
void World::refuses_all_records() {
  using core::RecordKind;
  for (const auto kind : {RecordKind::started, RecordKind::answered, RecordKind::parked,
                          RecordKind::resolved, RecordKind::hastened, RecordKind::edited}) {
    for (unsigned op = 0; op <= static_cast<unsigned>(Op::query); ++op)
      refused({.kind = kind, .id = 7, .at = now_, .op = static_cast<Op>(op)});
  }
  for (const auto kind : {RecordKind::submitted, RecordKind::prepared, RecordKind::aborting,
                          RecordKind::committing, RecordKind::added, RecordKind::stopped})
    refused({.kind = kind, .id = 7, .at = now_});
  for (const auto& step : scenario_.progress)
    refused({.kind = RecordKind::progressed, .id = 7, .at = now_, .text = step});
  const auto conclusion = core::encode_conclusion({"why", "result"});
  refused({.kind = RecordKind::concluded, .id = 7, .at = now_, .text = conclusion});
  refused({.kind = RecordKind::scheduled, .id = 7, .at = now_, .op = Op::query, .due_at = now_});
  for (unsigned status = 0; status <= static_cast<unsigned>(Status::failed); ++status) {
    refused(
        {.kind = RecordKind::finished, .id = 7, .at = now_, .status = static_cast<Status>(status)});
  }
}

std::string World::key() const {
  std::string key;
  key.reserve(64);
  const auto put = [&key](std::uint64_t value) { base::put_varint(key, value); };
  put(faults_.unanswered);
  put(transaction_.definition.edit_count());
  put(faults_.unregistered);
  put(faults_.crashes);
  put(faults_.operator_words);
  put(transaction_.stopped ? 1 : 0);
  put(static_cast<std::uint64_t>(transaction_.status));
  const auto left = [this](std::uint64_t at) { return at == 0 ? 0 : 1 + at - now_; };
  put(left(core::deadline_of(transaction_)));
  put(transaction_.begun == 0 ? left(transaction_.start_at) : 0);
  put(topics_);
  put(added_);
  put(progressed_);
  for (std::uint32_t i = 0; i < branch_count(); ++i) {
    const auto& branch = transaction_.branches[i];
    const auto out = story_->call_out(i);
    put(static_cast<std::uint64_t>(branch.first));
    put(static_cast<std::uint64_t>(branch.second));
    put(branch.parked ? 1 : 0);
    put(out ? 1 + static_cast<std::uint64_t>(*out) : 0);
    put(branch.unanswered);
    put(core::is_pending(transaction_, i) ? left(branch.due_at) : 0);
  }
  if (topics_ > 0) key += transaction_.definition.added();  // whom it went to, then
  return key;
}

// How many histories go on from a world, each state looked at once.
std::uint64_t explore_from(const World& world, std::unordered_map<std::string, std::uint64_t>& seen,
                           Counts& counts) {
  const auto options = world.options();
  if (options.empty()) {
    world.ended();
    return 1;
  }
  std::uint64_t histories = 0;
  for (const auto& option : options) {
    World next(world);
    next.take(option);
    ++counts.steps;
    const auto [at, is_new] = seen.emplace(next.key(), 0);
    if (is_new) {
      next.examine_state(&world);
      at->second = explore_from(next, seen, counts);  // a node of the map does not move
    }
    histories += at->second;
  }
  return histories;
}

}  // namespace

void explore(const Scenario& scenario, const Story& opening, const Faults& faults,
             Findings& findings, Counts& counts) {
  World world(scenario, opening, faults, findings);
  world.examine_state(nullptr);
  std::unordered_map<std::string, std::uint64_t> seen;
  counts.histories += explore_from(world, seen, counts);
  counts.states += seen.size() + 1;
}

}  // namespace belay::test
