// Goal: whatever record comes in whatever state, it is refused and nothing has changed, or it leads
// to a legal state.
// Method: every state that records can lead to, in every mode; in each of them every record.
#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <string>

#include "core/apply.h"
#include "core/consistent.h"
#include "core/edit.h"
#include "core/ops.h"
#include "unit/core/samples.h"
#include "unit/core/transactions.h"

namespace belay::test {
namespace {

using core::OpState;
using core::Record;
using core::RecordKind;
using core::Transaction;

constexpr std::size_t kBranchesMax = 3;

// The first branch, with another payload.
std::string edit_of_first(const std::string& bytes, const std::string& step) {
  auto definition = *core::Definition::parse(bytes);
  if (definition.branch_count() == 0) REQUIRE(definition.add_steps(step));
  auto view = definition.step(0);
  view.payload = "edited";
  return core::encode_edit({definition.encode_edited(0, view, {}), "payload"});
}

struct Beginning {
  const char* name;
  std::string definition;
  RecordKind kind = RecordKind::submitted;
  std::string step{};  // what may be added
  std::string progress = *core::encode_progress({"01", "action", "succeed", "data"}, Limits{});
  std::string conclusion = core::encode_conclusion({"why", "result"});
  std::string edit = edit_of_first(definition, step);
};

std::vector<Beginning> beginnings() {
  const auto step = *core::encode_branch({"t3", "c3", "x3"}, Limits{});
  const auto subscriber = core::Definition::encode_subscriber("to", 0);
  const auto prepared = core::Entry::prepare;
  return {
      {"saga", encoded(Saga("g").step("a", "b").step("c", "d"))},
      {"tcc", encoded(Tcc("g").branch("t1", "c1", "x1").branch("t2", "c2", "x2")),
       RecordKind::submitted, step},
      {"xa", encoded(Xa("g").branch("t1", "c1", "x1")), RecordKind::submitted, step},
      {"driven saga", encoded(Saga("g").step("a", "b"), prepared), RecordKind::prepared, step},
      {"driven tcc", encoded(Tcc("g").branch("t1", "c1", "x1"), prepared), RecordKind::prepared,
       step},
      {"driven xa", encoded(Xa("g"), prepared), RecordKind::prepared, step},
      {"msg", encoded(Msg("g").to("topic://t").to("b")), RecordKind::submitted, subscriber},
      {"driven msg", encoded(Msg("g").to("topic://t").query("q"), prepared), RecordKind::prepared,
       subscriber},
      {"workflow", encoded(Workflow("g").callback("c", "name", "input"), prepared),
       RecordKind::prepared, step},
  };
}

// All that differs in what `apply` looks at.
std::vector<Record> all_records(const Beginning& beginning, const Transaction& transaction) {
  std::vector<Record> records;
  const Record blank{.id = 7, .at = 2000};
  const auto with_kind = [&](RecordKind kind) -> Record& {
    records.push_back(blank);
    records.back().kind = kind;
    return records.back();
  };
  for (const auto kind : {RecordKind::started, RecordKind::answered, RecordKind::parked,
                          RecordKind::resolved, RecordKind::hastened}) {
    const bool has_outcome = kind == RecordKind::answered || kind == RecordKind::resolved;
    for (std::uint32_t branch = 0; branch <= transaction.branches.size(); ++branch) {
      for (unsigned op = 0; op <= static_cast<unsigned>(Op::query); ++op) {
        for (unsigned outcome = 0; outcome < (has_outcome ? 4u : 1u); ++outcome) {
          auto& record = with_kind(kind);
          record.branch = branch;
          record.op = static_cast<Op>(op);
          record.outcome = static_cast<OutcomeKind>(outcome);
        }
      }
    }
  }
  for (unsigned status = 0; status <= static_cast<unsigned>(Status::failed); ++status)
    with_kind(RecordKind::finished).status = static_cast<Status>(status);
  for (const auto kind : {RecordKind::aborting, RecordKind::committing, RecordKind::stopped})
    with_kind(kind);
  for (const auto kind : {RecordKind::submitted, RecordKind::prepared})
    with_kind(kind).text = beginning.definition;
  for (const auto kind : {RecordKind::progressed, RecordKind::concluded}) {
    with_kind(kind).text = "garbage";
    with_kind(kind).text = {};
  }
  with_kind(RecordKind::progressed).text = beginning.progress;
  with_kind(RecordKind::concluded).text = beginning.conclusion;
  for (std::uint32_t branch = 0; branch <= transaction.branches.size(); ++branch) {
    for (unsigned op = 0; op <= static_cast<unsigned>(Op::query); ++op) {
      auto& record = with_kind(RecordKind::scheduled);
      record.branch = branch;
      record.op = static_cast<Op>(op);
      record.due_at = 3000;
    }
  }
  for (std::uint32_t branch = 0; branch <= transaction.branches.size(); ++branch) {
    for (unsigned op = 0; op <= static_cast<unsigned>(Op::query); ++op) {
      for (const auto text : {std::string_view(beginning.edit), std::string_view("garbage")}) {
        auto& record = with_kind(RecordKind::edited);
        record.branch = branch;
        record.op = static_cast<Op>(op);
        record.text = text;
      }
    }
  }
  with_kind(RecordKind::added).text = "garbage";
  if (transaction.branches.size() < kBranchesMax)
    with_kind(RecordKind::added).text = beginning.step;
  return records;
}

// The one step that a record may take, told from the diagrams.
bool may_follow(const Transaction& before, const Transaction& after, RecordKind kind) {
  if (before.finished()) return false;
  const bool grew = after.branches.size() != before.branches.size();
  if (grew != (kind == RecordKind::added)) return false;
  if (after.stopped != (before.stopped || kind == RecordKind::stopped)) return false;
  if (before.stopped && kind != RecordKind::answered && kind != RecordKind::finished) return false;
  switch (kind) {
    case RecordKind::aborting:
      return after.status == Status::aborting &&
             (before.status == Status::prepared ||
              (before.status == Status::submitted && before.mode() == Mode::saga));
    case RecordKind::committing:
      return before.status == Status::prepared && after.status == Status::submitted;
    case RecordKind::finished:
      if (after.status == Status::failed && before.stopped) return true;
      if (before.mode() == Mode::workflow) return before.concluded && after.finished();
      return after.status == Status::succeed ? before.status == Status::submitted
                                             : before.status == Status::aborting;
    case RecordKind::submitted:
    case RecordKind::prepared: return false;
    case RecordKind::added:
      if (before.mode() == Mode::saga) return false;
      if (before.mode() == Mode::msg) return after.status == Status::submitted;
      return before.driven && after.status == Status::prepared;
    case RecordKind::resolved:
      if (before.mode() == Mode::workflow) return false;
      break;
    case RecordKind::edited:
    case RecordKind::hastened:
    case RecordKind::stopped:
    case RecordKind::started:
    case RecordKind::answered:
    case RecordKind::parked: break;
    case RecordKind::progressed:
    case RecordKind::concluded:
    case RecordKind::scheduled:
      if (before.mode() != Mode::workflow || before.concluded) return false;
      break;
  }
  return after.status == before.status;
}

std::string key_of(const Transaction& transaction) {
  std::string key(1, static_cast<char>(transaction.status));
  key.push_back(transaction.stopped ? 's' : '-');
  for (const auto& branch : transaction.branches) {
    key.push_back(static_cast<char>(branch.first));
    key.push_back(static_cast<char>(branch.second));
    key.push_back(branch.parked ? 'p' : '-');
  }
  key.push_back(transaction.concluded ? 'c' : '-');
  key.push_back(transaction.remembered && transaction.remembered->count > 0 ? 's' : '-');
  return key;
}

struct Seen {
  std::size_t states = 0;
  std::size_t refused = 0;
  std::set<RecordKind> taken;
  std::string broken;  // the first that broke
};

void try_record(const Transaction& before, const Record& record, Seen& seen,
                std::set<std::string>& known, std::deque<Transaction>& open) {
  auto after = core::clone(before);
  const auto applied = core::apply(after, record);
  const auto what = "record " + std::to_string(static_cast<unsigned>(record.kind)) + " when " +
                    std::string(name_of(before.status));
  if (!applied) {
    ++seen.refused;
    if (applied.error().code != ErrorCode::corrupt || !difference(after, before).empty())
      seen.broken = what + " was refused and changed it";
    return;
  }
  seen.taken.insert(record.kind);
  if (!core::fits_mode(after) || !may_follow(before, after, record.kind))
    seen.broken = what + " led to an illegal state";
  if (known.insert(key_of(after)).second) open.push_back(std::move(after));
}

Seen walk(const Beginning& beginning) {
  Seen seen;
  auto begun =
      core::begin({.kind = beginning.kind, .id = 7, .at = 1000, .text = beginning.definition});
  REQUIRE(begun.has_value());
  std::set<std::string> known{key_of(*begun)};
  std::deque<Transaction> open;
  open.push_back(*std::move(begun));
  for (; !open.empty() && seen.broken.empty(); open.pop_front()) {
    ++seen.states;
    for (const auto& record : all_records(beginning, open.front()))
      try_record(open.front(), record, seen, known, open);
  }
  return seen;
}

}  // namespace

TEST_SUITE("core/apply") {
  TEST_CASE("in every state of every mode a record is applied, or refused without a change") {
    using K = RecordKind;
    const std::set<K> saga{K::started, K::answered, K::parked,   K::aborting, K::finished,
                           K::stopped, K::hastened, K::resolved, K::edited};
    auto declared = saga;
    declared.insert(K::committing);
    auto driven = declared;
    driven.insert(K::added);
    auto submitted_msg = saga;
    submitted_msg.insert(K::added);
    submitted_msg.erase(K::aborting);
    const std::map<std::string, std::set<K>> taken{
        {"saga", saga},
        {"tcc", declared},
        {"xa", declared},
        {"driven saga", declared},
        {"driven tcc", driven},
        {"driven xa", driven},
        {"msg", submitted_msg},
        {"driven msg", driven},
        {"workflow",
         {K::started, K::answered, K::parked, K::finished, K::progressed, K::concluded,
          K::scheduled, K::stopped, K::hastened, K::edited}},
    };
    for (const auto& beginning : beginnings()) {
      const auto seen = walk(beginning);
      CAPTURE(beginning.name);
      CHECK(seen.broken == "");
      CHECK(seen.states > 20);
      CHECK(seen.refused > 1000);
      CHECK((seen.taken == taken.at(beginning.name)));
    }
  }
}

}  // namespace belay::test
