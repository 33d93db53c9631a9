#include "mode_clients.h"

namespace belay::sim {
namespace {

constexpr std::size_t kModesAskedAtOnce = 20;

}  // namespace

ModeClients::ModeClients(World& world, const Plan& plan, ModeLedger& ledger, TopicBook& topics,
                         Banks& banks, test::Random random)
    : world_(world),
      plan_(plan),
      ledger_(ledger),
      topics_(topics),
      banks_(banks),
      random_(random) {}

void ModeClients::set_engine(engine::Coordinator* engine) {
  engine_ = engine;
  if (engine == nullptr) topics_.process_died();
  topic_requests_ = 0;
  for (auto& known : all_) {
    known->pending = 0;
    if (engine == nullptr) known->book->orders.process_died();
  }
  // somebody waited for it to be there: his word comes before anything has gone on
  if (engine != nullptr && plan_.others.words_again != 0 && random_.percent(50)) word_again();
}

void ModeClients::check_all_heard() {
  for (const auto& known : all_) {
    if (known->pending != 0)
      world_.fail(known->gid() + ": a caller heard nothing before the engine closed");
  }
  if (topic_requests_ != 0) world_.fail("a change of a topic was not answered");
}

void ModeClients::schedule() {
  const auto& others = plan_.others;
  const auto at = [this](std::uint64_t count, const std::function<void()>& what) {
    for (std::uint64_t i = 0; i < count; ++i)
      world_.after_us(random_.percent(20) ? 0 : random_.below(plan_.chaos_ms * 1000), what);
  };
  at(others.topic_changes, [this] { change_any_topic(); });
  at(others.topics, [this] { list_topics(); });
  at(others.declared, [this] { begin_declared(); });
  at(others.driven, [this] { begin_driven(); });
  at(others.messages, [this] { begin_message(false); });
  at(others.prepared, [this] { begin_message(true); });
  at(others.words_again, [this] { word_again(); });
}

// What they do.

ModeClients::Known& ModeClients::know(ModeSpec spec) {
  all_.push_back(std::make_unique<Known>());
  auto& known = *all_.back();
  known.next_branch = spec.asked_with;
  known.book = &ledger_.add(std::move(spec));
  return known;
}

void ModeClients::begin_declared() {
  auto& known = know(two_phase_spec(all_.size() + 1, false));
  submit(known, Kind::submit);
  if (random_.percent(plan_.others.abort_percent)) later(known, &ModeClients::decide);
}

void ModeClients::begin_driven() {
  auto& known = know(two_phase_spec(all_.size() + 1, true));
  submit(known, Kind::prepare);
  if (random_.percent(plan_.others.eager_percent)) go_on(known);
}

void ModeClients::begin_message(bool prepared) {
  auto& known = know(message_spec(all_.size() + 1, prepared));
  submit(known, prepared ? Kind::prepare : Kind::submit);
}

// The next thing its caller does, if it still cares.
void ModeClients::go_on(Known& known) {
  if (world_.failed() || known.settled || random_.percent(plan_.others.vanish_percent)) return;
  const auto& spec = known.book->spec;
  if (!spec.driven) return;
  if (spec.mode == Mode::msg) return later(known, &ModeClients::decide_message);
  const bool more = known.next_branch < spec.branches.size() && !known.any_failed;
  later(known, more ? &ModeClients::register_next : &ModeClients::decide);
}

void ModeClients::later(Known& known, void (ModeClients::*what)(Known&)) {
  world_.after_us(random_.below(plan_.others.pause_us + 1),
                  [this, &known, what] { (this->*what)(known); });
}

void ModeClients::register_next(Known& known) {
  const auto& spec = known.book->spec;
  if (engine_ == nullptr || known.next_branch >= spec.branches.size()) return;
  const auto branch = known.next_branch++;
  auto step = core::encode_branch(spec.branches[branch], plan_.options.limits);
  if (!step) return world_.fail("a branch was refused: " + step.error().detail);
  auto one = request(Kind::branch, known);
  one->branch = branch;
  known.book->branches[branch].registered = true;
  ++known.branches_open;
  world_.note("register {} of {}", branch + 1, known.gid());
  sent(one,
       engine_->ask(engine::BranchRequest{
           known.gid(), *step,
           [this, one](const Result<Outcome>& result) { heard_branch(one, result); }, spec.mode}));
  if (random_.percent(plan_.others.eager_percent)) go_on(known);
}

void ModeClients::decide(Known& known) {
  const bool abort =
      !known.book->spec.driven || known.any_failed || random_.percent(plan_.others.abort_percent);
  const bool contrary = known.book->spec.driven && random_.percent(10);
  word(known, abort != contrary ? Kind::word_abort : Kind::word_submit);
}

// The caller's own transaction commits, once the message is prepared, and then the word is given.
void ModeClients::decide_message(Known& known) {
  auto& book = *known.book;
  if (book.truth == Truth::open) {
    book.truth =
        random_.percent(plan_.others.abort_percent) ? Truth::rolled_back : Truth::committed;
    world_.note("{}: the local transaction {}", known.gid(),
                book.truth == Truth::committed ? "commits" : "rolls back");
    if (random_.percent(plan_.others.vanish_percent)) return;
  }
  const bool commits = book.truth == Truth::committed;
  const bool whole = commits && known.accepted && !plan_.forgets() && random_.percent(20);
  if (whole) return submit(known, Kind::submit);
  word(known, commits ? Kind::word_submit : Kind::word_abort);
}

// Another process has its say about one it knows, or asks for it again.
void ModeClients::word_again() {
  if (all_.empty()) return;
  auto& known = *random_.one_of(all_);
  const auto& spec = known.book->spec;
  if (spec.mode == Mode::msg && spec.driven) {
    // Only who knows that it was prepared may commit.
    if (known.accepted) decide_message(known);
  } else if (!plan_.forgets() && random_.percent(40)) {
    submit(known, spec.driven ? Kind::prepare : Kind::submit);
  } else if (spec.driven) {
    word(known, random_.percent(60) ? Kind::word_submit : Kind::word_abort);
  } else {
    find(known);
  }
}

void ModeClients::operator_word(bool stops) {
  if (all_.empty() || engine_ == nullptr || world_.failed()) return;
  auto& known = *random_.one_of(all_);
  auto one = request(stops ? Kind::stop : Kind::hasten, known);
  one->wants_final = stops;
  known.book->stop_sent = known.book->stop_sent || stops;
  world_.note("operator: {} {}", stops ? "stop" : "hasten", known.gid());
  using Word = engine::WordRequest::Word;
  sent(one, engine_->ask(engine::WordRequest{
                known.gid(), stops ? Word::stop : Word::hasten, "its operator says so",
                [this, one](const Result<Report>& result) { heard(one, result); }}));
}

void ModeClients::change_any_topic() {
  const auto kind = random_.percent(35)  ? TopicKind::unsubscribe
                    : random_.percent(5) ? TopicKind::remove
                                         : TopicKind::subscribe;
  const auto target = banks_.action_of(random_.below(plan_.targets));
  change_topic(make_topic(), kind == TopicKind::remove ? "" : target, kind);
}

// A message that is committed waits for subscribers. Whether a topic has one may stay in doubt,
// once a change of it had no answer; so every second poll leaves a short queue to the others.
void ModeClients::subscribe_where_nobody_is() {
  if (++polls_ % 2 == 0) return;
  const bool any_open =
      std::any_of(all_.begin(), all_.end(), [](const auto& known) { return !known->settled; });
  if (!any_open || topic_requests_ != 0) return;
  for (std::uint64_t i = 0; i < plan_.others.topics; ++i) {
    if (!topics_.must_be_anybody(topic_name(i), topics_.now(), topics_.now()))
      change_topic(topic_name(i), banks_.action_of(0), TopicKind::subscribe);
  }
}

void ModeClients::change_topic(const std::string& topic, const std::string& target,
                               TopicKind kind) {
  if (engine_ == nullptr) return;
  const Subscription subscription{topic, target, "remark"};
  const bool erase = kind != TopicKind::subscribe;
  const auto change = topics_.asked(subscription.topic, subscription.target, erase);
  const auto from = topics_.now();
  const auto life = world_.life();
  world_.note("{} {} {}", erase ? "unsubscribe" : "subscribe", subscription.topic,
              subscription.target);
  ++topic_requests_;
  const auto result = engine_->ask(engine::TopicRequest{
      {subscription, kind}, [=, this](const Result<>& answer) {
        if (!world_.alive() || life != world_.life() || watch_()) return;
        --topic_requests_;
        world_.note("told {}: {}", subscription.target, answer ? "done" : answer.error().detail);
        if (answer) return topics_.accepted(change);
        const auto code = answer.error().code;
        const bool unknown = code == ErrorCode::commit_unknown || code == ErrorCode::superseded;
        if (!unknown) topics_.refused(change);
        const auto now = topics_.now();
        const bool known =
            kind == TopicKind::remove
                ? topics_.must_be_anybody(subscription.topic, from, now)
                : topics_.must_be(subscription.topic, subscription.target, from, now);
        if (code == ErrorCode::not_found && known)
          world_.fail(subscription.target + " was subscribed, and is not known");
        const bool expected = (code == ErrorCode::not_found && erase) ||
                              code == ErrorCode::storage || code == ErrorCode::closed || unknown;
        if (!expected) world_.fail("a topic's change: " + answer.error().detail);
      }});
  if (result) return;
  --topic_requests_;
  topics_.refused(change);
}

void ModeClients::list_topics() {
  if (engine_ == nullptr) return;
  const auto from = topics_.now();
  const auto life = world_.life();
  ++topic_requests_;
  const auto result =
      engine_->ask(engine::TopicsRequest{[=, this](const Result<std::vector<Topic>>& list) {
        if (!world_.alive() || life != world_.life() || watch_()) return;
        --topic_requests_;
        if (!list) return;
        const auto wrong = topics_.check(*list, from, topics_.now());
        if (!wrong.empty()) world_.fail("topics: " + wrong);
      }});
  if (!result) --topic_requests_;
}

// And how.

ModeClients::Shared ModeClients::request(Kind kind, Known& known) {
  return std::make_shared<Request>(Request{kind, &known, world_.life(), known.accepted});
}

void ModeClients::submit(Known& known, Kind kind) {
  if (engine_ == nullptr || world_.failed()) return;
  auto one = request(kind, known);
  auto& book = *known.book;
  one->wants_final = random_.percent(plan_.wait_percent) && kind == Kind::submit;
  ++book.may_exist;
  known.settled = known.last && is_final(*known.last);
  if (kind == Kind::submit) book.submit_sent = true;
  if (kind == Kind::submit) ledger_.may_go(book);
  world_.note("{} {}", kind == Kind::submit ? "submit" : "prepare", known.gid());
  const auto entry = kind == Kind::submit ? core::Entry::submit : core::Entry::prepare;
  sent(one, engine_->ask(engine::SubmitRequest{
                *core::Definition::parse(book.spec.bytes), entry, false, one->wants_final,
                [this, one](const Result<Report>& result) { heard(one, result); }}));
}

void ModeClients::word(Known& known, Kind kind) {
  if (engine_ == nullptr || world_.failed()) return;
  auto one = request(kind, known);
  const bool submits = kind == Kind::word_submit;
  (submits ? known.book->submit_sent : known.book->abort_sent) = true;
  if (submits) ledger_.may_go(*known.book);
  world_.note("word {} {}", submits ? "submit" : "abort", known.gid());
  using Word = engine::WordRequest::Word;
  sent(one, engine_->ask(engine::WordRequest{
                known.gid(), submits ? Word::submit : Word::abort, "its caller says so",
                [this, one](const Result<Report>& result) { heard(one, result); }}));
}

void ModeClients::find(Known& known) {
  if (engine_ == nullptr) return;
  auto one = request(Kind::find, known);
  sent(one, engine_->ask(engine::FindRequest::find(
                known.gid(), [this, one](const Result<Report>& result) { heard(one, result); })));
}

void ModeClients::sent(const Shared& request, const Result<>& result) {
  if (result) {
    ++request->known->pending;
    return;
  }
  request->heard = true;
  if (request->kind == Kind::branch) --request->known->branches_open;
  on_error(*request, result.error());
}

bool ModeClients::ask_for_ends() {
  std::size_t open = 0;
  for (std::size_t i = 0; i < all_.size(); ++i) {
    auto& known = *all_[(next_to_ask_ + i) % all_.size()];
    if (known.settled) continue;
    if (++open <= kModesAskedAtOnce && known.pending == 0) find(known);
  }
  if (!all_.empty()) ++next_to_ask_;
  return open == 0;
}

std::string ModeClients::unsettled() const {
  std::string gids;
  for (const auto& known : all_) {
    if (known->settled) continue;
    gids += fmt::format(" {} ({}, {} pending)", known->gid(),
                        known->last ? name_of(*known->last) : "never told of", known->pending);
  }
  return gids;
}

std::map<std::string, Status> ModeClients::ends() const {
  std::map<std::string, Status> ends;
  for (const auto& known : all_) {
    if (known->last && is_final(*known->last)) ends[known->gid()] = *known->last;
  }
  return ends;
}

}  // namespace belay::sim
