// belay xa orphans: shows the prepared transactions in a database that no engine will end and what
// the state file says about each, and lets an operator end them.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>

#include "belay/xa.h"
#include "command.h"
#include "table.h"
#include "view/rows.h"
#include "xa/decisions.h"

namespace belay::tool {
namespace {

constexpr const char* kXaDetails = R"(
A prepared transaction holds its locks until it is ended. The engine ends all
that belong to its unfinished transactions. Listed are the others of a realm
(XaOptions::realm; if that was left empty, the participant's name), each with
what the state file says:

  commit    the commit was decided, and not carried out: its transaction was
            stopped before. --commit ends it; it is never rolled back
  rollback  its transaction failed without such a decision. --rollback ends it
  unknown   the state file does not know it. Other branches of the same
            transaction may be committed: look into the other databases, then
            end it with --unknown and one of the two

A realm that the state file does not know is refused, as a wrong file or a wrong
name would make everything unknown. If the file is gone for good, --state-lost
goes on without one. With --json: one object each.

Examples:
  belay xa orphans --postgresql 'dbname=stock' --realm stock
  belay xa orphans --mariadb 'socket=/run/mysqld/mysqld.sock' --realm bank --rollback
  belay xa orphans --postgresql 'dbname=stock' --realm stock --state-lost \
    --older-than 1h --rollback
)";

struct OrphanOptions {
  std::string postgresql;
  std::string mariadb;
  std::string realm;
  std::vector<std::string> xids;
  std::optional<Millis> older_than;
  bool roll_back = false;
  bool commit = false;
  bool unknown = false;
  bool state_lost = false;
  bool yes = false;

  bool ends() const { return roll_back || commit; }
  bool names(std::string_view xid) const {
    return std::find(xids.begin(), xids.end(), xid) != xids.end();
  }
};

std::string_view name_of_kind(XaKind kind) {
  return kind == XaKind::postgresql ? "postgresql" : "mariadb";
}

class Orphans {
 public:
  Orphans(Context& context, const OrphanOptions& options)
      : context_(context),
        options_(options),
        kind_(options.mariadb.empty() ? XaKind::postgresql : XaKind::mariadb),
        conninfo_(options.mariadb.empty() ? options.postgresql : options.mariadb) {}

  ExitCode run() {
    if (const auto code = check_options(); code != ExitCode::done) return code;
    if (const auto code = open_file(); code != ExitCode::done) return code;
    const auto found = list_prepared(kind_, conninfo_, options_.realm);
    if (!found) return fail_database(found.error());
    const auto code = reader_ ? judge_by_file(*found) : judge_lost(*found);
    if (code != ExitCode::done) return code;
    if (const auto named = check_named(); named != ExitCode::done) return named;
    std::erase_if(judged_, [this](const auto& one) { return !is_selected(one); });
    if (!options_.ends()) return show();
    std::erase_if(judged_, [this](const auto& one) { return !may_end(one); });
    if (judged_.empty()) return show_none();
    if (!options_.yes) {
      if (const auto answer = ask(); answer != ExitCode::done) return answer;
    }
    return end_all();
  }

 private:
  ExitCode check_options() {
    if (conninfo_.empty()) {
      return fail(context_, ExitCode::usage, "no database was named",
                  "give --postgresql CONNINFO or --mariadb CONNINFO");
    }
    // Without a realm nobody could say which transactions are still in use.
    if (options_.realm.empty()) {
      return fail(context_, ExitCode::usage, "the realm is empty",
                  "give the XaOptions::realm of the engine, or else its participant's name");
    }
    if (options_.older_than && kind_ == XaKind::mariadb) {
      return fail(context_, ExitCode::usage, "MariaDB does not tell when something was prepared",
                  "name them with --xid instead of --older-than");
    }
    if (!options_.state_lost && context_.db.empty()) {
      return fail(context_, ExitCode::usage, "no state file was named",
                  "give --db PATH or set BELAY_DB; if it is gone for good, --state-lost");
    }
    return ExitCode::done;
  }

  // Sets `reader_` unless the file is lost.
  ExitCode open_file() {
    auto reader = context_.db.empty() ? Result<Reader>(Error{ErrorCode::not_found, ""})
                                      : Reader::open(context_.db);
    if (!reader && options_.state_lost) return ExitCode::done;
    if (!reader && reader.error().code == ErrorCode::not_found) {
      return fail(context_, ExitCode::not_found,
                  fmt::format("there is no state file at {}", context_.db),
                  "give the path of one with --db; if it is gone for good, --state-lost");
    }
    if (!reader) return fail(context_, reader.error());
    const auto known = knows_realm(*reader);
    if (!known && options_.state_lost) return ExitCode::done;
    if (!known) return fail(context_, known.error());
    if (options_.state_lost) return *known ? fail_not_lost() : ExitCode::done;
    if (!*known) return fail_realm(*reader);
    reader_ = std::move(*reader);
    return ExitCode::done;
  }

  ExitCode judge_by_file(const std::vector<PreparedXa>& found) {
    auto judged = judge(*reader_, options_.realm, found);
    if (!judged) return fail(context_, judged.error());
    judged_ = std::move(*judged);
    return ExitCode::done;
  }

  ExitCode judge_lost(const std::vector<PreparedXa>& found) {
    judged_ = judge_without_file(found);
    if (!found.empty()) return ExitCode::done;
    const auto all = list_prepared(kind_, conninfo_, {});
    if (!all) return fail_database(all.error());
    if (all->empty()) return ExitCode::done;
    return fail(context_, ExitCode::not_found,
                fmt::format("nothing is prepared in the realm '{}', but {} in other realms, such "
                            "as {}",
                            options_.realm, count(all->size()), all->front().xid),
                "see that the realm is spelt as its engine spelt it");
  }

  // --state-lost is refused if the file exists and knows the realm: then the file must be used.
  ExitCode fail_not_lost() {
    return fail(context_, ExitCode::usage,
                fmt::format("the state file {} is not lost: it knows the realm '{}'", context_.db,
                            options_.realm),
                "leave --state-lost out");
  }

  Result<bool> knows_realm(Reader& reader) const {
    const auto realms = reader.realms();
    if (!realms) return realms.error();
    return std::any_of(realms->begin(), realms->end(), [this](const auto& one) {
      return one.kind == kind_ && one.realm == options_.realm;
    });
  }

  ExitCode fail_realm(Reader& reader) {
    const auto realms = reader.realms();
    if (!realms) return fail(context_, realms.error());
    std::string names;
    for (const auto& one : *realms) {
      names +=
          fmt::format("{}{} ({})", names.empty() ? "" : ", ", one.realm, name_of_kind(one.kind));
    }
    const auto to_do =
        names.empty() ? std::string(
                            "see that it is the right file; an older belay's learns its realms "
                            "when its engine is started again")
                      : fmt::format("name the right file, or one of its realms: {}", names);
    return fail(context_, ExitCode::not_found,
                fmt::format("no engine that used {} had the realm '{}' in {}", context_.db,
                            options_.realm, name_of_kind(kind_)),
                to_do);
  }

  // A named transaction must exist, and must not be ended against what the file says.
  ExitCode check_named() {
    for (const auto& xid : options_.xids) {
      const auto found = std::find_if(judged_.begin(), judged_.end(),
                                      [&](const auto& one) { return one.prepared.xid == xid; });
      if (found == judged_.end()) {
        return fail(context_, ExitCode::not_found,
                    fmt::format("there is no prepared '{}' in the realm '{}'", xid, options_.realm),
                    "see which there are without --xid");
      }
      if (found->decision == Decision::unfinished) {
        return fail(context_, ExitCode::forbidden,
                    fmt::format("the transaction '{}' of {} is unfinished", found->gid, xid),
                    "its engine ends it; see `belay show`");
      }
      if (options_.ends() && !may_end(*found)) return refuse(*found);
    }
    return ExitCode::done;
  }

  ExitCode refuse(const JudgedXa& one) {
    const auto& xid = one.prepared.xid;
    switch (one.decision) {
      case Decision::commit:
        return fail(context_, ExitCode::forbidden, fmt::format("{} was decided to commit", xid),
                    "end it with --commit");
      case Decision::roll_back:
        return fail(context_, ExitCode::forbidden,
                    fmt::format("the transaction '{}' of {} failed", one.gid, xid),
                    "end it with --rollback");
      default: break;
    }
    return fail(context_, ExitCode::forbidden, fmt::format("the state file does not know {}", xid),
                "look whether its other branches are committed, then add --unknown");
  }

  bool is_selected(const JudgedXa& one) const {
    if (one.decision == Decision::unfinished) return false;
    if (!options_.xids.empty() && !options_.names(one.prepared.xid)) return false;
    return !options_.older_than || at_ - one.prepared.prepared_at >= *options_.older_than;
  }

  bool may_end(const JudgedXa& one) const {
    if (one.decision == Decision::unknown) return options_.unknown || options_.state_lost;
    return one.decision == (options_.commit ? Decision::commit : Decision::roll_back);
  }

  ExitCode show_none() {
    if (!context_.json) {
      context_.out.print("nothing to {}; see what there is without --{}\n", verb(),
                         options_.commit ? "commit" : "rollback");
    }
    return ExitCode::done;
  }

  ExitCode show() {
    if (context_.json) {
      for (const auto& one : judged_) context_.out.json(json_of(one));
      return ExitCode::done;
    }
    if (judged_.empty()) {
      context_.out.write("no orphans\n");
      return ExitCode::done;
    }
    Table table({{"XID"}, {"DECISION"}, {"PREPARED"}, Table::text("OWNER")});
    for (const auto& one : judged_) {
      const auto& prepared = one.prepared;
      const bool known = prepared.prepared_at != TimePoint();
      table.add({printable(prepared.xid), std::string(name_of(one.decision)),
                 known ? ago(prepared.prepared_at, at_) : "", printable(prepared.owner)});
    }
    table.print(context_.out);
    const auto of = [this](Decision decision) {
      return count(static_cast<std::size_t>(
          std::count_if(judged_.begin(), judged_.end(),
                        [=](const auto& one) { return one.decision == decision; })));
    };
    const auto hint =
        fmt::format("{} to --commit, {} to --rollback, {} unknown", of(Decision::commit),
                    of(Decision::roll_back), of(Decision::unknown));
    context_.out.print("\n{}\n", context_.out.styled(hint, Style::dim));
    return ExitCode::done;
  }

  static Json json_of(const JudgedXa& one) {
    Json object = {{"xid", one.prepared.xid},
                   {"decision", name_of(one.decision)},
                   {"gid", nullptr},
                   {"prepared_at", nullptr},
                   {"owner", nullptr}};
    if (!one.gid.empty()) object["gid"] = one.gid;
    if (one.prepared.prepared_at != TimePoint()) {
      object["prepared_at"] = one.prepared.prepared_at.time_since_epoch().count();
    }
    if (!one.prepared.owner.empty()) object["owner"] = one.prepared.owner;
    return object;
  }

  std::string_view verb() const { return options_.commit ? "commit" : "roll back"; }

  // `done`: the command may go on.
  ExitCode ask() {
    if (isatty(STDIN_FILENO) == 0) {
      return fail(context_, ExitCode::usage,
                  fmt::format("nobody is there to ask about {} orphans", count(judged_.size())),
                  "look at them first, then give --yes as well");
    }
    for (const auto& one : judged_) {
      context_.err.print("{}  {}\n", printable(one.prepared.xid), name_of(one.decision));
    }
    context_.err.print("{} {}? [y/N] ", verb(), count(judged_.size()));
    context_.err.flush();
    std::string answer;
    std::getline(std::cin, answer);
    if (answer == "y" || answer == "yes") return ExitCode::done;
    return fail(context_, ExitCode::failed, "nothing was ended", "answer y to do it");
  }

  ExitCode end_all() {
    std::size_t ended = 0;
    std::optional<Error> last_error;
    for (const auto& one : judged_) {
      const auto& xid = one.prepared.xid;
      const auto done = options_.commit ? commit_prepared(kind_, conninfo_, xid)
                                        : roll_back_prepared(kind_, conninfo_, xid);
      const bool gone = !done && done.error().code == ErrorCode::not_found;
      if (!done && !gone) last_error = done.error();
      if (done) ++ended;
      auto object = json_of(one);
      object[options_.commit ? "committed" : "rolled_back"] = done.has_value();
      if (context_.json) context_.out.json(object);
    }
    if (!context_.json) {
      context_.out.print("{} {}\n", count(ended), options_.commit ? "committed" : "rolled back");
    }
    return last_error ? fail_database(*last_error) : ExitCode::done;
  }

  ExitCode fail_database(const Error& error) {
    if (error.code == ErrorCode::unsupported) {
      return fail(context_, ExitCode::failed, error.detail, "use one that was built with it");
    }
    if (error.code == ErrorCode::invalid_argument) {
      const auto* option = kind_ == XaKind::postgresql ? "--postgresql" : "--mariadb";
      return fail(context_, ExitCode::usage, fmt::format("{}: {}", option, error.detail),
                  "see belay/xa.h for what it may be");
    }
    if (error.code == ErrorCode::busy) {
      return fail(context_, ExitCode::busy, error.detail,
                  "end the program that prepared it, then try again");
    }
    if (error.code != ErrorCode::storage) return fail(context_, error);
    return fail(context_, ExitCode::failed, fmt::format("the database said: {}", error.detail),
                "see that it runs and that the conninfo is right");
  }

  Context& context_;
  const OrphanOptions& options_;
  const XaKind kind_;
  const std::string& conninfo_;
  const TimePoint at_ = now();
  std::optional<Reader> reader_;
  std::vector<JudgedXa> judged_;
};

void add_orphans(CLI::App& xa, Context& context) {
  const auto options = std::make_shared<OrphanOptions>();
  auto* command =
      add_command(xa, "orphans", "prepared transactions that nobody will end", kXaDetails);
  auto* postgresql =
      command->add_option("--postgresql", options->postgresql, "a PostgreSQL database");
  postgresql->type_name("CONNINFO");
  command->add_option("--mariadb", options->mariadb, "or a MariaDB server, see belay/xa.h")
      ->type_name("CONNINFO")
      ->excludes(postgresql);
  command->add_option("--realm", options->realm, "whose prepared transactions")
      ->type_name("REALM")
      ->required();
  command->add_option("--xid", options->xids, "only this one; may be given several times")
      ->type_name("XID")
      ->allow_extra_args(false);
  add_duration_option(command, "--older-than", options->older_than,
                      "only those prepared at least this long ago (PostgreSQL)");
  auto* roll_back = add_flag_option(command, "--rollback", options->roll_back,
                                    "roll back what failed, after asking");
  add_flag_option(command, "--commit", options->commit,
                  "commit what was decided to commit, after asking")
      ->excludes(roll_back);
  add_flag_option(command, "--unknown", options->unknown,
                  "also end those that the state file does not know");
  add_flag_option(command, "--state-lost", options->state_lost,
                  "there is no state file any more: all are unknown");
  add_flag_option(command, "--yes", options->yes, "do not ask");
  add_db_option(command, context);
  add_json_option(command, context);
  on_run(command, context, [&context, options] { return Orphans(context, *options).run(); });
}

}  // namespace

void add_xa(CLI::App& app, Context& context) {
  auto* xa = add_command(app, "xa", "prepared transactions in the databases that take part", "");
  xa->require_subcommand(1);
  add_orphans(*xa, context);
}

}  // namespace belay::tool
