// `belay stop`: ends transactions that cannot be brought to an end otherwise.
#include <pwd.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <array>
#include <iostream>
#include <memory>
#include <string>

#include "base/utf8.h"
#include "command.h"
#include "way/way.h"

namespace belay::tool {
namespace {

constexpr const char* kStopDetails = R"(
The last resort. No call is made any more for the transactions, and they end as failed,
whatever their branches have done: what has run stays as it is, and nothing is undone.
A call that is out is waited for. `belay show GID` tells what has run; repair it by hand.
The reason, and who gave it, are kept with the transaction. On a terminal the command
asks first, elsewhere it needs --yes.

It stops what a running `belay serve` has. There is no such command for a file: the engine
that it would need calls what is due as soon as it starts. Exit code 0: all are stopped;
1: some are not; 3: one is unknown; 4: one is final already; 5: the server is busy.

Example:
  belay stop order-42 --server http://127.0.0.1:36789 --reason "refunded by hand, T-1234"
)";

constexpr std::size_t kReasonBytesMax = 1'000;
constexpr Millis kStopTimeout{60'000};

struct StopOptions {
  std::vector<std::string> gids;
  std::string reason;
  bool yes = false;
  ServerAccess server;
};

// "reason (by alice on gateway-1)".
std::string signed_reason(const std::string& reason) {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  std::array<char, 4'096> space{};
  passwd entry{};
  passwd* found = nullptr;
  const bool has_name =
      ::getpwuid_r(::getuid(), &entry, space.data(), space.size(), &found) == 0 && found != nullptr;
  const auto user = has_name ? std::string(entry.pw_name) : fmt::format("uid {}", ::getuid());
  return fmt::format("{} (by {} on {})", reason, user, host.data());
}

std::optional<std::string> wrong_use(const StopOptions& options) {
  if (options.reason.empty() || !base::is_text(options.reason))
    return "--reason is empty, or no UTF-8";
  if (options.reason.size() > kReasonBytesMax)
    return fmt::format("--reason has {} bytes, the limit is {}", options.reason.size(),
                       kReasonBytesMax);
  if (!options.yes && ::isatty(STDIN_FILENO) == 0) return "without a terminal it needs --yes";
  return wrong_with(options.server);
}

bool is_agreed(Context& context, const StopOptions& options) {
  if (options.yes) return true;
  context.err.print("Stop {} transaction{} for good? What has run stays as it is. [y/N] ",
                    options.gids.size(), options.gids.size() == 1 ? "" : "s");
  context.err.flush();
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

ExitCode stop(Context& context, const StopOptions& options) {
  if (auto wrong = wrong_use(options))
    return fail(context, ExitCode::usage, *wrong, "see `belay stop --help`");
  if (!is_agreed(context, options))
    return fail(context, ExitCode::failed, "nothing was stopped", "answer y to stop them");
  std::optional<Failure> refusal;
  const auto way = to_server(options.server, refusal);
  if (!way) return refused(context, *refusal);
  const auto reason = signed_reason(options.reason);
  auto code = ExitCode::done;
  for (const auto& gid : options.gids) {
    Fate fate;
    auto no = way->stop(gid, reason);
    if (!no) no = way->follow(gid, kStopTimeout, fate);
    if (!no) {
      print_fate(context, gid, fate);
      if (!fate.is_final()) code = ExitCode::failed;
      continue;
    }
    code = refused(context, *no);
    if (code != ExitCode::not_found && code != ExitCode::forbidden) return code;
  }
  return code;
}

}  // namespace

void add_stop(CLI::App& app, Context& context) {
  const auto options = std::make_shared<StopOptions>();
  auto* command = add_command(app, "stop", "end transactions for good, as failed", kStopDetails);
  command->add_option("GID", options->gids, "the transactions' names")->required();
  command->add_option("--reason", options->reason, "why; it is kept")
      ->required()
      ->type_name("TEXT");
  add_flag_option(command, "--yes", options->yes, "do not ask");
  add_server_options(command, options->server)->required();
  add_json_option(command, context);
  on_run(command, context, [&context, options] { return stop(context, *options); });
}

}  // namespace belay::tool
