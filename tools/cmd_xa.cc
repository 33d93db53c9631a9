// belay xa orphans: prepared transactions in a database that no transaction of the state file will
// ever end.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <set>

#include "belay/xa.h"
#include "command.h"
#include "rows.h"

namespace belay::tool {
namespace {

constexpr const char* kXaDetails = R"(
A prepared transaction holds its locks until it is ended. The engine ends all
that it knows of; orphans are what a lost or replaced state file leaves behind.
Listed are those of the realm (XaOptions::realm; if that was left empty, the
participant's name) whose transaction is not unfinished in the state file. Name
the state file of the engine that uses this realm: to any other file all of
them are orphans. With --json: one object each.

Examples:
  belay xa orphans --postgresql 'dbname=stock' --realm stock
  belay xa orphans --mariadb 'socket=/run/mysqld/mysqld.sock' --realm bank --rollback
)";

struct OrphanOptions {
  std::string postgresql;
  std::string mariadb;
  std::string realm;
  bool roll_back = false;
  bool yes = false;
};

class Orphans {
 public:
  Orphans(Context& context, Reader& reader, const OrphanOptions& options)
      : context_(context),
        reader_(reader),
        options_(options),
        kind_(options.mariadb.empty() ? XaKind::postgresql : XaKind::mariadb),
        conninfo_(options.mariadb.empty() ? options.postgresql : options.mariadb) {}

  ExitCode run() {
    if (conninfo_.empty()) {
      return fail(context_, ExitCode::usage, "no database was named",
                  "give --postgresql CONNINFO or --mariadb CONNINFO");
    }
    // Of all realms nobody could say which transactions live.
    if (options_.realm.empty()) {
      return fail(context_, ExitCode::usage, "the realm is empty",
                  "give the XaOptions::realm of the engine, or else its participant's name");
    }
    // The database first: what is prepared after this look is not in it, and what is in it was on
    // disk in the state file before it was prepared.
    auto found = list_prepared(kind_, conninfo_, options_.realm);
    if (!found) return fail_database(found.error());
    if (const auto read = read_live(); !read) return fail(context_, read.error());
    std::erase_if(*found, [this](const auto& one) { return live_.contains(one.xid); });
    if (!options_.roll_back || found->empty()) return show(*found);
    if (!options_.yes) {
      if (const auto code = ask(*found); code != ExitCode::done) return code;
    }
    return roll_back(*found);
  }

 private:
  Result<> read_live() {
    Filter filter;
    filter.finished = false;
    filter.mode = Mode::xa;
    filter.limit = kPageRows;
    do {
      const auto page = reader_.list(filter);
      if (!page) return page.error();
      for (const auto& row : page->rows) {
        const auto branches = reader_.branches(row.gid);
        // It may have finished and been forgotten since the page was read.
        if (!branches && branches.error().code == ErrorCode::not_found) continue;
        if (!branches) return branches.error();
        for (const auto& branch : *branches) {
          live_.insert(xid_of(options_.realm, row.gid, branch.branch_id));
        }
      }
      filter.before_id = page->next_before_id;
    } while (filter.before_id != 0);
    return {};
  }

  ExitCode show(const std::vector<PreparedXa>& found) {
    if (context_.json) {
      for (const auto& one : found) context_.out.json(json_of(one));
      return ExitCode::done;
    }
    if (found.empty()) {
      context_.out.write("no orphans\n");
      return ExitCode::done;
    }
    Table table({{"XID"}, {"PREPARED"}, {"OWNER"}});
    for (const auto& one : found) {
      const bool known = one.prepared_at != TimePoint();
      table.add({printable(one.xid), known ? ago(one.prepared_at, at_) : "", printable(one.owner)});
    }
    table.print(context_.out);
    const auto hint = fmt::format("{} found; end them with --rollback", count(found.size()));
    context_.out.print("\n{}\n", context_.out.styled(hint, Style::dim));
    return ExitCode::done;
  }

  static Json json_of(const PreparedXa& one) {
    Json object = {{"xid", one.xid}, {"prepared_at", nullptr}, {"owner", nullptr}};
    if (one.prepared_at != TimePoint()) {
      object["prepared_at"] = one.prepared_at.time_since_epoch().count();
    }
    if (!one.owner.empty()) object["owner"] = one.owner;
    return object;
  }

  // `done`: go on.
  ExitCode ask(const std::vector<PreparedXa>& found) {
    if (isatty(STDIN_FILENO) == 0) {
      return fail(context_, ExitCode::usage,
                  fmt::format("nobody is there to ask about {} orphans", count(found.size())),
                  "look at them first, then give --yes with --rollback");
    }
    for (const auto& one : found) context_.err.print("{}\n", printable(one.xid));
    context_.err.print("roll back {}? [y/N] ", count(found.size()));
    context_.err.flush();
    std::string answer;
    std::getline(std::cin, answer);
    if (answer == "y" || answer == "yes") return ExitCode::done;
    return fail(context_, ExitCode::failed, "nothing was rolled back", "answer y to do it");
  }

  ExitCode roll_back(const std::vector<PreparedXa>& found) {
    std::size_t ended = 0;
    std::optional<Error> last_error;
    for (const auto& one : found) {
      const auto done = roll_back_prepared(kind_, conninfo_, one.xid);
      const bool gone = !done && done.error().code == ErrorCode::not_found;
      if (!done && !gone) last_error = done.error();
      if (done) ++ended;
      auto object = json_of(one);
      object["rolled_back"] = done.has_value();
      if (context_.json) context_.out.json(object);
    }
    if (!context_.json) context_.out.print("{} rolled back\n", count(ended));
    return last_error ? fail_database(*last_error) : ExitCode::done;
  }

  ExitCode fail_database(const Error& error) {
    if (error.code == ErrorCode::unsupported) {
      return fail(context_, ExitCode::failed, error.detail, "use one that was built with it");
    }
    if (error.code != ErrorCode::storage) return fail(context_, error);
    return fail(context_, ExitCode::failed, fmt::format("the database said: {}", error.detail),
                "see that it runs and that the conninfo is right");
  }

  Context& context_;
  Reader& reader_;
  const OrphanOptions& options_;
  const XaKind kind_;
  const std::string& conninfo_;
  const TimePoint at_ = now();
  std::set<std::string> live_;
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
  command->add_flag("--rollback", options->roll_back, "roll them back, after asking");
  command->add_flag("--yes", options->yes, "do not ask");
  add_db_option(command, context);
  add_json_option(command, context);
  on_read(command, context,
          [&context, options](Reader& reader) { return Orphans(context, reader, *options).run(); });
}

}  // namespace

void add_xa(CLI::App& app, Context& context) {
  auto* xa = add_command(app, "xa", "prepared transactions in the databases that take part", "");
  xa->require_subcommand(1);
  add_orphans(*xa, context);
}

}  // namespace belay::tool
