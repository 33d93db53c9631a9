#include "feeder.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "belay/check.h"
#include "core/apply.h"
#include "core/ops.h"
#include "support/encode.h"

namespace belay::test {

namespace {

void put_topics(const core::Topics& topics, Contents& contents) {
  for (const auto& [topic, state] : topics) {
    const auto name = std::string(kTopicPrefix) + topic;
    contents[name] = std::to_string(state.stamp.version);
    for (const auto& [target, remark] : state.subscribers) contents[name + " " + target] = remark;
  }
}

}  // namespace

std::string describe(const core::Transaction& transaction) {
  if (transaction.finished()) return "ended: " + std::string(name_of(transaction.status));
  return core::encode_snapshot(transaction);
}

const ports::Batch& Feeder::batch() {
  if (batch_) return *batch_;
  now_ += random_.between(1, 2'000);
  batch_.emplace();
  for (const auto& request : std::exchange(asked_, {})) carry_out(request);
  for (auto count = random_.between(1, 4); count > 0; --count) {
    std::vector<Entry*> unfinished;
    for (auto& [id, entry] : entries_) {
      if (!entry.transaction.finished()) unfinished.push_back(&entry);
    }
    if (random_.percent(20)) change_topic();
    if (unfinished.empty() || random_.percent(35)) {
      submit();
    } else {
      advance(*random_.one_of(unfinished));
    }
  }
  if (!writer_.empty()) {
    batch_->lsn = ++last_lsn_;
    batch_->records = writer_.take();
  }
  add_rows();
  next_ = contents();
  return *batch_;
}

std::string Feeder::make_definition(const std::string& gid, bool& prepared) {
  const auto payload = [this] {
    return std::string(random_.below(random_.percent(10) ? 20'000 : 200), 'p');
  };
  const auto steps = random_.between(1, 3);
  const auto bytes_of = [&](const auto& description) {
    auto bytes = encode(description, gid, options_.limits,
                        prepared ? core::Entry::prepare : core::Entry::submit);
    BELAY_CHECK(bytes.has_value());
    return *bytes;
  };
  switch (static_cast<Mode>(random_.below(5))) {
    case Mode::saga: break;
    case Mode::tcc:
    case Mode::xa: {
      prepared = random_.percent(50);
      Tcc tcc(gid);
      Xa xa(gid);
      for (auto i = prepared ? 0 : steps; i > 0; --i) {
        tcc.branch("try", "confirm", "cancel", payload());
        xa.branch("prepare", "commit", "rollback", payload());
      }
      return random_.percent(50) ? bytes_of(tcc) : bytes_of(xa.in_order());
    }
    case Mode::msg: {
      prepared = random_.percent(50);
      Msg msg(gid);
      for (auto i = steps; i > 0; --i)
        msg.to(random_.percent(50) ? "topic://t" : "deliver", payload());
      if (random_.percent(50)) msg.query("ask");
      return bytes_of(msg);
    }
    case Mode::workflow:
      prepared = true;
      return bytes_of(
          Workflow(gid).callback(random_.percent(80) ? "owner" : "", "order", payload()));
  }
  Saga saga(gid);
  for (auto i = steps; i > 0; --i) saga.step("do", "undo", payload());
  if (random_.percent(30)) saga.concurrent();
  return bytes_of(saga);
}

void Feeder::submit() {
  bool prepared = false;
  const auto bytes = make_definition("g-" + std::to_string(last_id_ + 1), prepared);
  const core::Record record{
      .kind = prepared ? core::RecordKind::prepared : core::RecordKind::submitted,
      .id = ++last_id_,
      .at = now_,
      .text = bytes};
  writer_.add(record);
  auto begun = core::begin(record);
  BELAY_CHECK(begun.has_value());
  auto& entry = entries_[last_id_];
  entry.transaction = std::move(*begun);
  entry.first_lsn = entry.last_lsn = last_lsn_ + 1;
  decide(entry, core::Begun{});
}

void Feeder::add_branch(Entry& entry) {
  const auto step =
      core::encode_branch({"first", "commit", "rollback", "payload"}, options_.limits);
  BELAY_CHECK(step.has_value());
  decide(entry, core::Added{*step});
}

void Feeder::tell_workflow(Entry& entry) {
  const auto& remembered = entry.transaction.remembered;
  const auto count = remembered ? remembered->count : 0;
  if (count < 5 && random_.percent(70)) {
    const auto step = core::encode_progress(
        {std::to_string(count), "action", "succeed", std::string(random_.below(2'000), 'd')},
        options_.limits);
    BELAY_CHECK(step.has_value());
    return decide(entry, core::Progressed{*step});
  }
  const WorkflowEnd end{.status = random_.percent(50) ? Status::succeed : Status::failed,
                        .result = std::string(random_.below(2'000), 'r'),
                        .reason = "its owner says so"};
  decide(entry, core::WordEnd{&end});
}

void Feeder::change_topic() {
  const auto target = "subscriber-" + std::to_string(random_.below(4));
  using Kind = ports::TopicChange::Kind;
  const bool removes = topics_.contains("t") && random_.percent(5);
  auto& topic = topics_["t"];
  const bool erase = topic.subscribers.contains(target) && random_.percent(50);
  const auto remark = "as of batch " + std::to_string(last_lsn_);
  ++topic.stamp.version;
  if (erase) {
    topic.subscribers.erase(target);
  } else {
    topic.subscribers[target] = remark;
  }
  const auto kind = removes ? Kind::remove : erase ? Kind::unsubscribe : Kind::subscribe;
  batch_->topics.push_back({{"t", target, remark}, kind, topic.stamp});
  if (removes) topics_.erase("t");
}

// An operator stops a transaction for good.
void Feeder::carry_out(const ports::PostedRequest& request) {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const auto& one) {
    return one.second.transaction.gid() == request.asked.gid;
  });
  auto& answer = answers_[request.id] = ports::kPostedTaken;
  if (found == entries_.end()) {
    answer = name_of(ErrorCode::not_found);
  } else if (!core::may_stop(found->second.transaction)) {
    answer = name_of(ErrorCode::forbidden);
  } else if (!found->second.transaction.stopped) {
    decide(found->second, core::WordStop{"an operator says so"});
  }
  batch_->answers.push_back({request.id, request.asked.gid, answer, {}, now_});
}

// A call comes back, or its caller has its say, or a time has come.
void Feeder::advance(Entry& entry) {
  auto& transaction = entry.transaction;
  const bool driven = transaction.driven && transaction.status == Status::prepared;
  if (transaction.mode() == Mode::workflow && !transaction.finished() &&
      (random_.percent(30) || core::awaits_word_only(transaction)))
    return tell_workflow(entry);
  if (driven && transaction.mode() != Mode::workflow && random_.percent(30)) {
    if (core::may_add_branch(transaction) && random_.percent(50)) return add_branch(entry);
    if (core::may_submit(transaction)) return decide(entry, core::WordSubmit{});
    if (random_.percent(50)) return decide(entry, core::WordAbort{"its caller says so"});
  }
  for (std::uint32_t i = 0; i < transaction.branches.size(); ++i) {
    const auto& branch = transaction.branches[i];
    if (!branch.in_flight) continue;
    const std::vector<Outcome> outcomes = {Outcome::success(), Outcome::success(),
                                           Outcome::failure("no"), Outcome::ongoing("later"),
                                           Outcome::unknown("nothing heard")};
    // It may have turned back while the first was under way.
    const auto& ops = core::ops_of(transaction.mode());
    const bool second = branch.second != core::OpState::idle;
    const auto op = transaction.definition.is_query(i)       ? Op::query
                    : !second                                ? ops.first
                    : transaction.status == Status::aborting ? ops.rollback
                                                             : ops.commit;
    return decide(entry, core::Answered{i, op, &random_.one_of(outcomes)});
  }
  if (core::next_due(transaction) == 0) {
    if (driven) decide(entry, core::WordAbort{"nothing else is left"});
    return;
  }
  now_ = std::max(now_, core::next_due(transaction));
  decide(entry, core::Due{});
}

void Feeder::decide(Entry& entry, const core::Event& event) {
  core::decide(entry.transaction, event, {now_, random_.next(), &options_, &topics_}, step_);
  for (const auto& record : step_.records) writer_.add(record);
  if (step_.records.empty()) return;
  entry.last_lsn = last_lsn_ + 1;
  if (entry.first_lsn == 0) entry.first_lsn = entry.last_lsn;
}

// As the engine: rows of finished ones, now and then a snapshot, and what they cover of the log
// goes.
void Feeder::add_rows() {
  const bool erases = random_.percent(10);
  for (auto& [id, entry] : entries_) {
    const bool finished = entry.transaction.finished();
    if (entry.written || entry.first_lsn == 0 || !random_.percent(finished ? 40 : 10)) continue;
    ports::RowChange row;
    row.id = id;
    row.lsn = entry.last_lsn;
    row.erase = finished && erases;
    if (row.erase) optional_[std::string(entry.transaction.gid())] = true;
    row.copy = std::make_unique<core::Transaction>(core::clone(entry.transaction));
    row.transaction = row.copy.get();
    row.due_at = core::next_due(entry.transaction);
    entry.first_lsn = 0;
    entry.written = finished;
    batch_->rows.push_back(std::move(row));
  }
  auto oldest = last_lsn_;
  for (const auto& [id, entry] : entries_) {
    if (entry.first_lsn != 0) oldest = std::min(oldest, entry.first_lsn);
  }
  batch_->fold_below = oldest;
}

Contents Feeder::contents() const {
  Contents contents;
  for (const auto& [id, entry] : entries_)
    contents[std::string(entry.transaction.gid())] = describe(entry.transaction);
  put_topics(topics_, contents);
  for (const auto& [id, answer] : answers_) contents["request " + std::to_string(id)] = answer;
  return contents;
}

void Feeder::acknowledged() {
  acked_ = next_;
  batch_.reset();
}

ports::Store::Expiry Feeder::expire() {
  for (const auto& [id, entry] : entries_) {
    if (entry.transaction.status == Status::succeed)
      optional_[std::string(entry.transaction.gid())] = true;
  }
  return {now_ + 1, 0};
}

std::optional<Contents> read_all(store::Journal& journal, const Contents& expected) {
  Contents contents;
  const auto recovered = journal.recover(
      [&](store::RecoveredTransaction one) {
        contents[std::string(one.transaction.gid())] = describe(one.transaction);
      },
      [](std::uint64_t) {});
  if (!recovered) return std::nullopt;
  put_topics(recovered->topics, contents);
  std::vector<std::string> gids;
  for (const auto& [gid, state] : expected) gids.push_back(gid);
  const auto rows = journal.lookup(gids);
  if (!rows) return std::nullopt;
  for (const auto& row : *rows) {
    if (row) contents.try_emplace(row->gid, "ended: " + std::string(name_of(row->status)));
  }
  return contents;
}

}  // namespace belay::test
