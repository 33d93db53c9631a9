#include "demo/summary.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace belay::demo {
namespace {

using tool::count;
using tool::Out;
using tool::Style;

// What a transfer is in this mode.
std::string_view story_of(Mode mode) {
  switch (mode) {
    case Mode::saga:
      return "every one a saga: debit\nhere, credit there, and undo the debit if the credit is "
             "refused\n";
    case Mode::tcc:
      return "every one a tcc: reserve\nhere and there, then confirm both, or cancel what was "
             "reserved\n";
    case Mode::msg:
      return "every one a message: bank\nx debits in a transaction of its own, and bank y is told "
             "if and only if that committed\n";
    case Mode::xa:
    case Mode::workflow: break;
  }
  return "every one an xa transaction:\nPostgreSQL, which is bank A, and MariaDB, which is bank B, "
         "prepare, then both commit\n";
}

std::string seconds(std::uint64_t micros) {
  return fmt::format("{:.2f} s", static_cast<double>(micros) / 1e6);
}

std::string millis(std::uint64_t micros) {
  return fmt::format("{:.1f} ms", static_cast<double>(micros) / 1e3);
}

// As one types it into a shell.
std::string quoted(const std::string& word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+:@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == word.npos) return word;
  std::string result = "'";
  for (const char c : word) {
    if (c == '\'') {
      result += R"('\'')";
    } else {
      result += c;
    }
  }
  return result + "'";
}

void title(Out& out, std::string_view text) {
  out.write("\n" + out.styled(text, Style::bold) + "\n");
}

void print_kill(Out& out, const Summary& summary) {
  const auto& kill = *summary.totals.kill;
  const auto all = summary.results.size();
  title(out, "killed, and gone on");
  if (kill.came_too_late) {
    out.print("  process {} had finished before SIGKILL came; a second one found its work done\n",
              kill.pid);
    return;
  }
  out.print("  process {}, which ran the engine, was killed with SIGKILL at {} %:\n", kill.pid,
            kill.percent);
  out.print("  {} of {} transfers were final by then.\n", count(kill.answered), count(all));
  out.print("  a second process opened the same files in {}, found {} unfinished\n",
            millis(kill.open_micros), count(kill.recovered));
  out.print("  transfers in them and went on; all {} were handed in again, and {} of\n", count(all),
            count(summary.results.repeated()));
  out.write("  those had been final before: answered from the file, not run again.\n");
  if (summary.results.changed() == 0) {
    out.write("  every answer that was given before the kill was given again: " +
              out.styled("the same", Style::good) + "\n");
  } else {
    out.write("  answers that differ from those before the kill: " +
              out.styled(count(summary.results.changed()), Style::bad) + "\n");
  }
}

void print_count(Out& out, std::size_t indent, std::string_view label, std::size_t number,
                 Style style) {
  const auto padded = fmt::format("{:>{}}", count(number), 26 - indent);
  out.print("{:{}}{:<22}{}\n", "", indent, label,
            out.styled(padded, number == 0 ? Style::dim : style));
}

void print_counts(Out& out, const Summary& summary) {
  const auto& results = summary.results;
  title(out, "transfers");
  print_count(out, 2, "succeeded", results.count(Verdict::succeeded), Style::good);
  if (summary.audit.suspended > 0) {
    print_count(out, 4, "into suspense", summary.audit.suspended, Style::warn);
  }
  print_count(out, 2, "rolled back", results.rolled_back(), Style::plain);
  for (const auto verdict : kRolledBack) {
    const auto number = results.count(verdict);
    if (number > 0) print_count(out, 4, name_of(verdict), number, Style::dim);
  }
  print_count(out, 2, "stuck", summary.totals.stuck, Style::bad);
  if (summary.unfinished() > 0) {
    print_count(out, 2, "unfinished", summary.unfinished(), Style::bad);
  }
  if (results.count(Verdict::refused) > 0) {
    print_count(out, 2, "not taken", results.count(Verdict::refused), Style::bad);
    out.print("    the first: {}\n", tool::printable(results.first_error()));
  }
  if (summary.file.bad_count > 0) {
    print_count(out, 2, "bad rows, left out", summary.file.bad_count, Style::warn);
  }
}

void print_money(Out& out, const Summary& summary) {
  const auto row = [&out](std::string_view label, std::int64_t before, std::int64_t after) {
    out.print("  {:<12}{:>18}{:>18}\n", label, money(before), money(after));
  };
  const auto& audit = summary.audit;
  title(out, "money                     before             after");
  row("bank A", audit.banks[0].opening_cents, audit.banks[0].cents);
  row("bank B", audit.banks[1].opening_cents, audit.banks[1].cents);
  row("both", audit.opening_cents(), audit.cents());
  if (audit.suspended > 0) {
    out.print(
        "  {} of it in suspense: messages brought it for accounts that are closed or unknown\n",
        money(audit.suspended_cents));
  }
  const bool equal = audit.opening_cents() == audit.cents();
  out.write(equal ? out.styled("  equal: none was made, none was lost\n", Style::good)
                  : out.styled("  NOT EQUAL\n", Style::bad));
}

void print_audit(Out& out, const Summary& summary) {
  const auto& audit = summary.audit;
  title(out, "audit");
  out.print("  {} sides of transfers compared with {} postings in the banks' own books,\n",
            count(audit.legs_checked), count(audit.postings));
  out.print("  {} results with the engine's file", count(audit.statuses_checked));
  if (summary.forecast > 0) {
    out.print(",\n  {} with what had to come of them by the opening books alone",
              count(summary.forecast));
  }
  out.write("\n");
  for (const auto& problem : audit.problems) {
    out.write("  " + out.styled(tool::printable(problem), Style::bad) + "\n");
  }
  if (audit.problem_count > audit.problems.size()) {
    out.print("  and {} more\n", count(audit.problem_count - audit.problems.size()));
  }
  if (summary.surprises > 0) {
    out.write("  " + out.styled(count(summary.surprises) + " ended otherwise", Style::bad) + "\n");
  }
  if (audit.clean() && summary.surprises == 0) {
    out.write(
        "  " +
        out.styled("every transfer moved its money in both banks or in neither", Style::good) +
        "\n");
  }
}

void print_speed(Out& out, const Summary& summary) {
  title(out, "speed");
  out.print("  {} transfers in {}: {} a second, two banks' own commits included\n",
            count(summary.results.done()), seconds(summary.totals.run_micros),
            count(static_cast<std::uint64_t>(summary.per_second())));
  if (const auto p50 = summary.results.quantile(0.5); p50 > 0) {
    out.print("  from submit to final: p50 {}, p99 {} ({} in flight)\n", millis(p50),
              millis(summary.results.quantile(0.99)), count(summary.settings.in_flight));
  }
}

void print_further(Out& out, const Summary& summary) {
  const auto belay = quoted(summary.program);
  const auto db = quoted(summary.settings.files.engine());
  const auto& results = summary.results;
  auto example = results.first(Verdict::closed);
  if (!example) example = results.first(Verdict::no_account);
  if (!example) example = results.first(Verdict::succeeded);
  title(out, "look further");
  if (summary.unfinished() > 0) out.print("  {} stuck --db {}\n", belay, db);
  out.print("  {} list --db {} --status failed\n", belay, db);
  if (example) {
    const auto gid = gid_of(summary.file.transfers[*example]);
    out.print("  {} show --db {} {}\n", belay, db, gid);
    out.print("  {} log --db {} {}\n", belay, db, gid);
  }
  out.print("  {} check --db {}\n", belay, db);
  out.print("  the banks' books{}: {} and {}\n",
            summary.settings.files.servers ? ", copied from the servers" : "",
            summary.settings.files.bank(BankId::a), summary.settings.files.bank(BankId::b));
  if (summary.unfinished() > 0) {
    out.write("  the same command with --dir goes on with what is unfinished\n");
  }
}

}  // namespace

void Meter::show(std::size_t done) {
  const auto percent = static_cast<unsigned>(done * 100 / all_);
  if (percent == percent_) return;
  percent_ = percent;
  if (out_.terminal()) {
    bar_.show(percent, fmt::format("{} of {}", count(done), count(all_)));
  } else if (percent / 25 > shown_ / 25) {
    shown_ = percent / 25 * 25;
    out_.print("{:3} %: {} of {} transfers\n", shown_, count(done), count(all_));
    out_.flush();
  }
}

void Meter::say(const std::string& line) {
  bar_.clear();
  out_.write(line + "\n");
  out_.flush();
}

bool Summary::fine() const {
  return audit.clean() && surprises == 0 && unfinished() == 0 && results.changed() == 0 &&
         results.count(Verdict::refused) == 0;
}

double Summary::per_second() const {
  if (totals.run_micros == 0) return 0;
  return std::round(static_cast<double>(results.done()) * 1e6 /
                    static_cast<double>(totals.run_micros));
}

void print_bad_rows(Out& out, const std::string& path, const TransferFile& file) {
  for (const auto& row : file.bad_rows) {
    out.print("{}, line {}: {}\n", tool::printable(path), row.line, tool::printable(row.problem));
  }
  if (file.bad_count > file.bad_rows.size()) {
    out.print("and {} more bad rows\n", count(file.bad_count - file.bad_rows.size()));
  }
  out.flush();
}

void print_intro(Out& out, const RunSettings& settings, const TransferFile& file) {
  out.print("{} transfers between {} accounts each of bank A and bank B, {}",
            count(file.transfers.size()), count(static_cast<std::uint64_t>(settings.accounts)),
            story_of(settings.mode));
  out.print("  from  {}\n", tool::printable(settings.transfers));
  if (file.left_out > 0) {
    out.print("        the first {} of {} in it: --first says how many\n",
              count(file.transfers.size()), count(file.transfers.size() + file.left_out));
  }
  if (settings.http) out.write("  to    two HTTP services, a process each\n");
  out.print("  in    {}\n", tool::printable(settings.files.directory));
  out.flush();
}

void print_summary(Out& out, const Summary& summary) {
  if (summary.totals.kill) print_kill(out, summary);
  for (const auto& kill : summary.bank_kills) {
    out.print("  {}'s process {} was killed too, when {} were final, and started again.\n",
              name_of(kill.bank), kill.pid, count(kill.answered));
  }
  print_counts(out, summary);
  print_money(out, summary);
  print_audit(out, summary);
  print_speed(out, summary);
  print_further(out, summary);
  out.flush();
}

void print_json(Out& out, const Summary& summary) {
  const auto& [settings, file, results, totals, audit, bank_kills, forecast, surprises, program] =
      summary;
  nlohmann::ordered_json reasons = nlohmann::ordered_json::object();
  for (const auto verdict : kRolledBack) {
    if (results.count(verdict) > 0) reasons[std::string(name_of(verdict))] = results.count(verdict);
  }
  nlohmann::ordered_json object = {
      {"db", settings.files.engine()},
      {"mode", name_of(settings.mode)},
      {"http", settings.http},
      {"transfers", file.transfers.size()},
      {"bad_rows", file.bad_count},
      {"succeeded", results.count(Verdict::succeeded)},
      {"rolled_back", results.rolled_back()},
      {"reasons", reasons},
      {"stuck", totals.stuck},
      {"unfinished", summary.unfinished()},
      {"not_taken", results.count(Verdict::refused)},
      {"before_cents_a", audit.banks[0].opening_cents},
      {"before_cents_b", audit.banks[1].opening_cents},
      {"before_cents", audit.opening_cents()},
      {"after_cents_a", audit.banks[0].cents},
      {"after_cents_b", audit.banks[1].cents},
      {"after_cents", audit.cents()},
      {"suspended", audit.suspended},
      {"suspended_cents", audit.suspended_cents},
      {"legs_checked", audit.legs_checked},
      {"statuses_checked", audit.statuses_checked},
      {"forecast", forecast},
      {"surprises", surprises},
      {"problems", audit.problems},
      {"repeated", results.repeated()},
      {"changed", results.changed()},
      {"seconds", static_cast<double>(totals.run_micros) / 1e6},
      {"tps", summary.per_second()},
      {"p50_us", results.quantile(0.5)},
      {"p99_us", results.quantile(0.99)},
      {"fine", summary.fine()},
  };
  if (totals.kill) {
    object["kill"] = {
        {"percent", totals.kill->percent},     {"pid", totals.kill->pid},
        {"answered", totals.kill->answered},   {"came_too_late", totals.kill->came_too_late},
        {"recovered", totals.kill->recovered}, {"open_us", totals.kill->open_micros}};
  }
  for (const auto& kill : bank_kills) {
    object["bank_kills"].push_back(
        {{"bank", name_of(kill.bank)}, {"pid", kill.pid}, {"answered", kill.answered}});
  }
  out.json(object);
}

}  // namespace belay::demo
