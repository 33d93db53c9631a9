#include "view/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/ascii.h"
#include "base/cause.h"
#include "view/text.h"
#include "view/waiting.h"

namespace belay::tool {
namespace {

constexpr std::size_t kAnswersShown = 3;

bool is_undo(Op op) { return op == Op::compensate || op == Op::cancel || op == Op::rollback; }

// True for what is asked until it succeeds, since the decision was made.
bool is_second_phase(Op op) { return is_undo(op) || op == Op::confirm || op == Op::commit; }

std::string_view noun_of(Op op) {
  switch (op) {
    case Op::compensate: return "compensation";
    case Op::cancel: return "cancel";
    case Op::confirm: return "confirm";
    case Op::commit: return "commit";
    case Op::rollback: return "rollback";
    case Op::query: return "back-check";
    default: return "delivery";  // the first phase of others turns back when it is refused
  }
}

const TimelineRow* last_event(const WholeTransaction& whole, std::string_view event) {
  const auto found = std::find_if(whole.timeline.rbegin(), whole.timeline.rend(),
                                  [event](const TimelineRow& row) { return row.event == event; });
  return found == whole.timeline.rend() ? nullptr : &*found;
}

// As a word of a command that is copied into a shell. A client chooses gids: what a shell or the
// command would read as something else stays out of it.
std::string_view word(std::string_view text, std::string_view placeholder) {
  const auto is_plain = [](char c) {
    return base::is_letter(c) || base::is_digit(c) ||
           std::string_view("._:/@%+=,-").find(c) != std::string_view::npos;
  };
  const bool is_word = !text.empty() && text.front() != '-' && text.front() != '=' &&
                       std::all_of(text.begin(), text.end(), is_plain);
  return is_word ? text : placeholder;
}

std::string because(const std::string& reason) { return reason.empty() ? "" : ": " + reason; }

// What the end of a failed transaction says about what had run.
std::string_view undone(Mode mode) {
  switch (mode) {
    case Mode::saga: return " What may have run and has a compensation was compensated.";
    case Mode::tcc: return " All that may have been tried was cancelled.";
    case Mode::xa: return " All that may have been prepared was rolled back.";
    case Mode::msg: return " It was not delivered.";
    case Mode::workflow: break;
  }
  return "";
}

std::string ended(const WholeTransaction& whole, TimePoint at) {
  const auto& row = whole.row;
  const auto when = row.finished_at ? ago(*row.finished_at, at) : "a moment ago";
  if (row.status == Status::succeed) return fmt::format("It succeeded {}.", when);
  if (last_event(whole, "stopped") != nullptr)
    return fmt::format(
        "It was stopped, and ended as failed {}{}. What has run stays as it is.{}", when,
        because(row.last_error),
        row.mode == Mode::xa ? " What is prepared keeps its locks: see `belay xa orphans`." : "");
  return fmt::format("It failed {}{}.{}", when, because(row.last_error), undone(row.mode));
}

std::string goes_forward(const WholeTransaction& whole) {
  switch (whole.row.mode) {
    case Mode::tcc: return "It was decided to confirm, and confirms until all branches succeeded.";
    case Mode::xa: return "It was decided to commit, and commits until all branches succeeded.";
    case Mode::msg: return "It is being delivered.";
    default: break;
  }
  const auto is_done = [](const BranchRow& row) {
    return !is_undo(row.op) && row.status == "succeed";
  };
  const auto is_work = [](const BranchRow& row) { return !is_undo(row.op); };
  return fmt::format("It goes forward: {} of {} branches are done.",
                     std::count_if(whole.branches.begin(), whole.branches.end(), is_done),
                     std::count_if(whole.branches.begin(), whole.branches.end(), is_work));
}

std::string prepared(Mode mode) {
  switch (mode) {
    case Mode::msg:
      return "It is prepared: its sender has not said yet whether it is to be delivered.";
    case Mode::workflow: return "Its owner has not said yet how it ended.";
    default: return "It is prepared: its caller has not said yet whether to submit or to abort.";
  }
}

std::string summary_of(const WholeTransaction& whole, TimePoint at) {
  const auto& row = whole.row;
  if (is_final(row.status)) return ended(whole, at);
  if (const auto* stopped = last_event(whole, "stopped"))
    return fmt::format("It was stopped {}, and ends when the calls that are out have returned.",
                       ago(stopped->at, at));
  switch (row.status) {
    case Status::aborting: {
      const auto* turned = last_event(whole, "aborting");
      return fmt::format("It turned back{}{}.", turned ? " " + ago(turned->at, at) : "",
                         because(row.last_error));
    }
    case Status::prepared: return prepared(row.mode);
    default: return goes_forward(whole);
  }
}

// The newest event by which the transaction came further, except for what this branch answered.
TimePoint waits_since(const WholeTransaction& whole, const BranchRow& branch) {
  auto since = whole.row.created_at;
  for (const auto& row : whole.timeline) {
    const bool is_answer = row.event == "answered";
    if (row.event == "parked" || row.event == "stopped" || (is_answer && row.outcome != "success"))
      continue;
    if (is_answer && row.branch_id == branch.branch_id && row.op == name_of(branch.op)) continue;
    since = std::max(since, row.at);
  }
  return since;
}

std::vector<TimelineRow> answers_of(const WholeTransaction& whole, const BranchRow& branch) {
  std::vector<TimelineRow> answers;
  for (const auto& row : whole.timeline) {
    if (row.event == "answered" && row.branch_id == branch.branch_id &&
        row.op == name_of(branch.op))
      answers.push_back(row);
  }
  if (answers.size() > kAnswersShown)
    answers.erase(answers.begin(), answers.end() - static_cast<std::ptrdiff_t>(kAnswersShown));
  return answers;
}

const HostFigures* find_host(const EngineState& engine, std::string_view name) {
  const auto found = std::find_if(engine.hosts.begin(), engine.hosts.end(),
                                  [name](const HostFigures& host) { return host.host == name; });
  return found == engine.hosts.end() ? nullptr : &*found;
}

// What keeps the branch, and what a person can do about it.
struct Cause {
  std::string meaning;
  std::string help;
};

Cause cause_of_parked(const Wait& wait) {
  if (wait.host.empty())
    return {"The program that had the file open last did not register this handler.",
            fmt::format("register the handler '{}' in the program, or start the program that has "
                        "it: the branch is called at once",
                        printable(wait.branch.target))};
  return {
      "Its host did not answer many calls in a row, so its circuit breaker is open: a single call "
      "now and then tries whether it is back.",
      fmt::format("bring {} back: all that waits for it goes on by itself", printable(wait.host))};
}

Cause cause_of_answer(const Wait& wait, const TimelineRow& last) {
  const auto& branch = wait.branch;
  const auto target = printable(wait.host.empty() ? branch.target : wait.host);
  if (!wait.host.empty() && last.detail.starts_with("no connection"))
    return {"Nothing was sent: the host cannot be reached. It is asked again.",
            fmt::format("bring {} back, or make it reachable from here", target)};
  if (last.outcome == "failure")
    return {
        fmt::format("It was refused. A {} cannot be left out, so it is asked again until it "
                    "succeeds.",
                    noun_of(branch.op)),
        fmt::format("repair {} or its data, so that it answers success; if the work was done by "
                    "hand, let it answer success for this transaction",
                    target)};
  if (last.outcome == "ongoing")
    return {"It says that it is still working on it, and is asked again later.",
            fmt::format("look into {}: it has the call and has not finished it", target)};
  return {is_second_phase(branch.op)
              ? "It gave no answer that counts, and is asked again until it succeeds."
              : "It gave no answer that counts, so it may have run or not; it is asked again.",
          fmt::format("see why {} answers so: the next attempt finds it repaired", target)};
}

// The hold of the target or of its host.
const Hold* find_hold(const EngineState& engine, const Wait& wait) {
  const auto found =
      std::find_if(engine.holds.begin(), engine.holds.end(), [&wait](const Hold& hold) {
        return hold.target == wait.branch.target || hold.target == wait.host;
      });
  return found == engine.holds.end() ? nullptr : &*found;
}

Cause cause_of_hold(const Hold& hold, TimePoint at) {
  return {
      fmt::format("An operator held {} {}: it is not called until it is released{}.",
                  printable(hold.target), ago(hold.at, at), because(printable(hold.reason))),
      fmt::format("when it may be called again: `belay release {}`", word(hold.target, "TARGET"))};
}

Cause cause_of_wait(const Wait& wait, bool has_engine) {
  const bool is_held_back = wait.breaker && *wait.breaker != BreakerState::closed;
  if (wait.branch.status == "parked" || (is_held_back && wait.branch.attempts == 0))
    return cause_of_parked(wait);
  if (!wait.answers.empty()) return cause_of_answer(wait, wait.answers.back());
  if (!has_engine)
    return {"It was called, or was about to be, when the engine ended; it is called again.", ""};
  return {
      "It was called and has not answered yet.",
      fmt::format("wait for it, or see whether {} hangs: after its time limit it is asked again",
                  printable(wait.host.empty() ? wait.branch.target : wait.host))};
}

// What happens at the next wake-up of a transaction that no branch holds up.
std::string next_step(const WholeTransaction& whole, bool has_engine, TimePoint at) {
  const auto& row = whole.row;
  if (!row.due_at && has_call_out(row, whole.branches))
    return has_engine ? "A call is still out, and must come back first."
                      : "It goes on when an engine opens the file.";
  if (!row.due_at) return "Only its caller can move it on.";
  const auto when = due(*row.due_at, at);
  if (row.status != Status::prepared) return fmt::format("It goes on {}.", when);
  switch (row.mode) {
    case Mode::msg: return fmt::format("Its sender is asked {} whether it was committed.", when);
    case Mode::workflow: return fmt::format("Its owner is called back {}.", when);
    default: return fmt::format("Without that word it turns back {}.", when);
  }
}

void add_edit(std::string_view gid, const Wait& wait, Explanation& result) {
  const auto& branch = wait.branch;
  const auto edit = fmt::format("`belay edit {} {} {}", gid, word(branch.branch_id, "BRANCH"),
                                name_of(branch.op));
  if (!wait.answers.empty()) {
    result.helps.push_back(fmt::format(
        "if the service cannot take what is sent, or has moved: {} --payload FILE`, or --target "
        "URL",
        edit));
  } else if (branch.status == "parked" && wait.host.empty()) {
    result.helps.push_back(
        fmt::format("if no program has that handler any more: {} --target TARGET`", edit));
  }
}

// What an operator may decide about a transaction that does not go on.
void add_decisions(const WholeTransaction& whole, Explanation& result) {
  const auto& row = whole.row;
  const auto gid = word(row.gid, "GID");
  if (row.mode != Mode::workflow && !result.waits.empty()) {
    const auto& branch = result.waits.front().branch;
    result.helps.push_back(fmt::format(
        "if you know how the {0} of branch {1} ended: `belay resolve {2} {3} {0} --as success`",
        name_of(branch.op), printable(branch.branch_id), gid, word(branch.branch_id, "BRANCH")));
  }
  if (!result.waits.empty()) add_edit(gid, result.waits.front(), result);
  if (row.mode == Mode::saga && row.status == Status::submitted)
    result.helps.push_back(fmt::format("to undo what has run: `belay back {}`", gid));
  result.helps.push_back(
      fmt::format("to give it up for good: `belay stop {}`; no call is made any more, and what has "
                  "run stays as it is",
                  gid));
}

Json json_of_wait(const Wait& wait) {
  auto object = json_of(wait.branch);
  object["since"] = wait.since.time_since_epoch().count();
  object["answers"] = Json::array();
  for (const auto& answer : wait.answers) object["answers"].push_back(json_of(answer));
  object["host"] = wait.host.empty() ? Json() : Json(wait.host);
  object["breaker"] = wait.breaker ? Json(name_of(*wait.breaker)) : Json();
  object["meaning"] = wait.meaning;
  return object;
}

}  // namespace

Explanation explain(const WholeTransaction& whole, const EngineState& engine, TimePoint at) {
  const bool has_engine = !engine.holder.empty();
  Explanation result;
  result.summary = summary_of(whole, at);
  if (is_final(whole.row.status) || last_event(whole, "stopped") != nullptr) return result;
  if (!has_engine)
    result.helps.emplace_back(
        "start the program whose file this is: no engine has it open, so nothing is called");
  for (auto& branch : waiting_of(whole.row, whole.branches)) {
    Wait wait;
    wait.since = waits_since(whole, branch);
    wait.answers = answers_of(whole, branch);
    wait.host = base::host_of(branch.target);
    if (const auto* host = find_host(engine, wait.host)) wait.breaker = host->breaker;
    wait.branch = std::move(branch);
    const auto* hold = find_hold(engine, wait);
    auto cause = hold != nullptr ? cause_of_hold(*hold, at) : cause_of_wait(wait, has_engine);
    wait.meaning = std::move(cause.meaning);
    const bool is_new =
        std::find(result.helps.begin(), result.helps.end(), cause.help) == result.helps.end();
    if (!cause.help.empty() && is_new) result.helps.push_back(std::move(cause.help));
    result.waits.push_back(std::move(wait));
  }
  const auto waits_for_time = std::find_if(
      result.waits.begin(), result.waits.end(),
      [at](const Wait& wait) { return wait.branch.due_at && *wait.branch.due_at > at; });
  if (waits_for_time != result.waits.end())
    result.helps.push_back(fmt::format("then call it at once with `belay replay {}`, instead of {}",
                                       word(whole.row.gid, "GID"),
                                       due(*waits_for_time->branch.due_at, at)));
  if (whole.row.stuck) add_decisions(whole, result);
  if (result.waits.empty()) result.summary += " " + next_step(whole, has_engine, at);
  return result;
}

Json json_of(const Explanation& explanation, const TransactionRow& row, const EngineState& engine) {
  Json object{{"gid", row.gid},
              {"mode", name_of(row.mode)},
              {"status", name_of(row.status)},
              {"stuck", row.stuck},
              {"summary", explanation.summary},
              {"engine", engine.holder.empty() ? Json() : Json(engine.holder)},
              {"waits", Json::array()},
              {"helps", explanation.helps}};
  for (const auto& wait : explanation.waits) object["waits"].push_back(json_of_wait(wait));
  return object;
}

}  // namespace belay::tool
