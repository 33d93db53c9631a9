// belay show GID: shows one transaction with its branches.
#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "command.h"
#include "of_gid.h"
#include "payload/shown_payloads.h"
#include "serve/read_types.h"
#include "shown.h"
#include "table.h"
#include "view/rows.h"

namespace belay::tool {
namespace {

constexpr const char* kShowDetails = R"(
A branch's status is idle (not called yet), started (it may have run),
succeed, failed, or parked (no handler of that name is registered, or the
circuit breaker of its host has long been open: see the last error). Of a tcc
or xa branch only the ops are shown that matter: the first, and what followed
it. Of a workflow the steps its owner recorded are shown as well. On a terminal
the tables are cut to its width, the reason is not. With --json:
one object, with `branches` (all ops), `timeline` and `progress` as arrays.

With --proto also what the branches are called with: of targets called by gRPC the
messages, as JSON of the type that the method takes; of others text, or bytes as
base64. What cannot be decoded is shown as bytes, with the reason. A message or a
text is cut after 64 KiB, bytes after 4 KiB; a message of more than 1 MiB is not
decoded. FILE is a descriptor set of at most 16 MiB, with all that it imports. A
server shows payloads to a token of the role admin; one that runs with --proto
decodes them itself, the first 256 KiB, and then they are shown without this option.
With --json: `payloads`, an array, or null with --proto if a server keeps them.

Examples:
  belay show order-42
  belay show order-42 --json | jq .branches
  protoc --include_imports --descriptor_set_out=shop.pb shop.proto
  belay show order-42 --proto shop.pb
)";

Style style_of_branch(const BranchRow& row) {
  if (row.status == "succeed") return Style::good;
  if (row.status == "failed" || row.status == "parked") return Style::bad;
  return row.status == "idle" ? Style::dim : Style::plain;
}

std::string moment(TimePoint when, TimePoint at) {
  return fmt::format("{}, {}", absolute(when), ago(when, at));
}

void print_head(Out& out, const TransactionRow& row, TimePoint at) {
  const auto line = [&out](std::string_view label, const std::string& text) {
    if (!text.empty())
      out.print("  {}{}\n", out.styled(fmt::format("{:<12}", label), Style::dim), text);
  };
  out.print("{}  {} {}", out.styled(printable(row.gid), Style::bold), name_of(row.mode),
            out.styled(name_of(row.status), style_of(row.status)));
  if (row.stuck) out.print(", {}", out.styled("stuck", Style::bad));
  out.write("\n");
  line("created", moment(row.created_at, at));
  if (row.finished_at) {
    line("finished", fmt::format("{}, after {}", absolute(*row.finished_at),
                                 duration(*row.finished_at - row.created_at)));
  } else {
    line("updated", moment(row.updated_at, at));
  }
  if (row.due_at)
    line("next due", fmt::format("{}, {}", absolute(*row.due_at), due(*row.due_at, at)));
  line("attempts", std::to_string(row.attempts));
  const bool forward = row.status == Status::prepared || row.status == Status::submitted;
  line(forward ? "last error" : "reason", printable(row.last_error));
  line("waits for", printable(row.obstacle));
  line("result", printable(row.result));
  line("trace id", printable(row.trace_id));
}

// Of confirm and cancel only one ever runs, and neither before the decision.
bool matters(const BranchRow& row) {
  switch (row.op) {
    case Op::confirm:
    case Op::cancel:
    case Op::commit:
    case Op::rollback: return row.status != "idle";
    default: return true;
  }
}

void print_branches(Out& out, const std::vector<BranchRow>& branches, TimePoint at) {
  Table table({{"BRANCH"},
               {"OP"},
               Table::text("HANDLER"),
               {"STATUS"},
               Table::number("ATTEMPTS"),
               Table::number("NEXT"),
               Table::text("LAST ERROR")},
              2);
  for (const auto& row : branches) {
    if (!matters(row)) continue;
    table.add({printable(row.branch_id),
               std::string(name_of(row.op)),
               printable(row.target),
               {printable(row.status), style_of_branch(row)},
               std::to_string(row.attempts),
               row.due_at ? due(*row.due_at, at) : "",
               printable(row.last_error)});
  }
  out.write("\n");
  table.print(out);
}

void print_progress(Out& out, const std::vector<ProgressRow>& steps, TimePoint at) {
  Table table({{"STEP"}, {"OP"}, {"STATUS"}, {"RECORDED"}, Table::text("DATA")}, 2);
  for (const auto& [step, recorded_at] : steps) {
    table.add({printable(step.branch_id), printable(step.op), printable(step.status),
               ago(recorded_at, at), printable(step.data)});
  }
  out.write("\n");
  table.print(out);
}

std::string note_of(const ShownPayload& payload) {
  if (!payload.is_cut) return payload.reason;
  const auto* separator = payload.reason.empty() ? "" : "; ";
  return fmt::format("{}{}only the beginning is shown", payload.reason, separator);
}

std::string kind_of(const ShownPayload& payload) {
  if (!payload.type.empty()) return payload.type;
  return payload.form == ShownPayload::Form::text ? "text" : "bytes";
}

void print_payloads(Out& out, const std::vector<ShownPayload>& payloads) {
  Table table({{"BRANCH"}, {"OP"}, {"TYPE"}, Table::number("SIZE"), {"NOTE"}, {"PAYLOAD"}}, 2);
  for (const auto& payload : payloads) {
    const bool is_base64 = payload.form == ShownPayload::Form::base64;
    table.add({printable(payload.branch_id),
               std::string(name_of(payload.op)),
               printable(kind_of(payload)),
               bytes(payload.size),
               {printable(note_of(payload)), Style::warn},
               (is_base64 && !payload.value.empty() ? "base64:" : "") + printable(payload.value)});
  }
  if (table.empty()) return;
  out.write("\n");
  table.print(out);
}

enum class PayloadsShown : std::uint8_t { if_there, demanded };

ExitCode show(Context& context, const ShownTransaction& found, PayloadsShown which) {
  const auto& [whole, payloads] = found;
  if (context.json) {
    auto object = json_of(whole);
    if (payloads)
      object["payloads"] = json_of(*payloads);
    else if (which == PayloadsShown::demanded)
      object["payloads"] = nullptr;
    context.out.json(object);
    return ExitCode::done;
  }
  const auto at = now();
  print_head(context.out, whole.row, at);
  if (!whole.branches.empty()) print_branches(context.out, whole.branches, at);
  if (!whole.progress.empty()) print_progress(context.out, whole.progress, at);
  if (payloads) print_payloads(context.out, *payloads);
  return ExitCode::done;
}

ExitCode fail_to_decode(Context& context, const Error& error) {
  const bool is_built = error.code != ErrorCode::unsupported;
  return fail(context, is_built ? ExitCode::usage : ExitCode::failed, error.detail,
              is_built ? "write it with `protoc --include_imports --descriptor_set_out=FILE`"
                       : "use one built with protobuf");
}

// One run of the command.
struct ShowRun {
  std::string proto_file;          // empty: without --proto
  bool are_payloads_kept = false;  // by the server, though they are demanded
};

Result<ShownTransaction> read_for(Source& source, const std::string& gid, ShowRun& run) {
  if (run.proto_file.empty()) return source.read_shown(gid);
  auto whole = source.read_with_payloads(gid);
  run.are_payloads_kept = !whole && whole.error().code == ErrorCode::forbidden;
  if (run.are_payloads_kept) whole = source.read(gid);
  if (!whole) return whole.error();
  return ShownTransaction{std::move(*whole)};
}

// The messages are decoded before secrets are taken out: that changes their lengths.
ExitCode show_demanded(Context& context, const Source& source, ShownTransaction found,
                       const ShowRun& run) {
  const auto types = read_types(run.proto_file);
  if (!types) return fail_to_decode(context, types.error());
  if (run.are_payloads_kept) {
    context.err.print("belay: {} shows payloads only to a token of the role admin\n",
                      printable(source.name()));
  } else {
    const auto hide = context.shows_secrets ? PayloadSecrets::shown : PayloadSecrets::hide;
    found.payloads = shown_payloads(found.whole, *types,
                                    source.hides_secrets() ? PayloadSecrets::hidden_before : hide);
  }
  found.whole = shown(context, std::move(found.whole));
  return show(context, found, PayloadsShown::demanded);
}

}  // namespace

void add_show(CLI::App& app, Context& context) {
  auto* command = add_command(app, "show", "show one transaction and its branches", kShowDetails);
  const auto run = std::make_shared<ShowRun>();
  command->add_option("--proto", run->proto_file, "decode gRPC payloads by this descriptor set")
      ->type_name("FILE");
  on_shown_transaction(
      command, context,
      [run](Source& source, const std::string& gid) { return read_for(source, gid, *run); },
      [&context, run](Source& source, ShownTransaction found) {
        if (!run->proto_file.empty()) return show_demanded(context, source, std::move(found), *run);
        found.whole = shown(context, std::move(found.whole));
        return show(context, found, PayloadsShown::if_there);
      });
}

}  // namespace belay::tool
