#include "filter.h"

#include <CLI/CLI.hpp>

#include "view/hide.h"

namespace belay::tool {
namespace {

void add_status(CLI::App* command, Filter& filter) {
  const auto set = [&filter](const std::string& name) {
    filter.status = status_from(name);
    if (filter.status) return;
    throw CLI::ValidationError(
        "--status",
        fmt::format("'{}' is none of prepared, submitted, aborting, succeed, failed", name));
  };
  command
      ->add_option_function<std::string>("--status", set,
                                         "only: prepared, submitted, aborting, succeed or failed")
      ->type_name("STATUS");
}

void add_mode(CLI::App* command, Filter& filter) {
  const auto set = [&filter](const std::string& name) {
    filter.mode = mode_from(name);
    if (!filter.mode)
      throw CLI::ValidationError("--mode",
                                 fmt::format("'{}' is none of saga, tcc, xa, msg, workflow", name));
  };
  command->add_option_function<std::string>("--mode", set, "only: saga, tcc, xa, msg or workflow")
      ->type_name("MODE");
}

// An empty value is an unset variable of a script, and would be no filter at all.
void add_text(CLI::App* command, const char* name, const char* type, std::string& into,
              const char* help, bool may_be_hidden) {
  const auto set = [&into, name, may_be_hidden](const std::string& value) {
    if (value.empty()) throw CLI::ValidationError(name, "its value is empty");
    if (const auto hidden = may_be_hidden ? refuse_hidden(name, value) : std::nullopt)
      throw CLI::ValidationError(*hidden);
    into = value;
  };
  command->add_option_function<std::string>(name, set, help)->type_name(type);
}

}  // namespace

void add_filter_options(CLI::App* command, Filter& filter) {
  add_status(command, filter);
  add_mode(command, filter);
  add_duration_option(command, "--older-than", filter.older_than, "created at least this long ago");
  add_duration_option(command, "--newer-than", filter.newer_than, "created at most this long ago");
  add_text(command, "--handler,--target", "NAME", filter.target,
           "only those that name this handler or URL in a branch", true);
  add_text(command, "--gid-prefix", "TEXT", filter.gid_prefix, "only gids that begin like this",
           false);
}

}  // namespace belay::tool
