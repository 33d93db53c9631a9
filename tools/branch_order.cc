#include "branch_order.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/ascii.h"
#include "output.h"
#include "serve/read_file.h"
#include "view/hide.h"

namespace belay::tool {
namespace {

// The most that an engine takes in a payload by default is less.
constexpr std::size_t kPayloadBytesMax = 64 * 1024 * 1024;

std::optional<Header> header_of(const std::string& text) {
  const auto colon = text.find(':');
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  return Header{text.substr(0, colon),
                std::string(base::trimmed(std::string_view(text).substr(colon + 1)))};
}

}  // namespace

void add_branch_arguments(CLI::App* command, Verb verb, std::string& gid, BranchOrder& order) {
  command->add_option("GID", gid, "the transaction's name")->required();
  command->add_option("BRANCH", order.branch_id, "the branch's id")->required();
  if (verb == Verb::resolve) {
    command->add_option("OP", order.op, "the operation that the branch waits for")->required();
    command->add_option("--as", order.as, "how its operation ended: success or failure")
        ->required()
        ->type_name("OUTCOME");
    return;
  }
  command->add_option("OP", order.op, "the operation")->required();
  command->add_option("--target", order.target, "the handler or URL of the operation")
      ->type_name("TARGET");
  command->add_option("--payload", order.payload_file, "a file with the branch's payload")
      ->type_name("PATH");
  command
      ->add_option("--header", order.headers,
                   "\"Name: value\"; replaces those of that name, or is "
                   "added; may be repeated")
      ->type_name("HEADER")
      ->allow_extra_args(false);
  command->add_option("--without-header", order.without_headers, "leave it out; may be repeated")
      ->type_name("NAME")
      ->allow_extra_args(false);
}

std::optional<std::string> wrong_with(const BranchOrder& order, Verb verb) {
  if (!op_from(order.op))
    return fmt::format("OP is '{}', it must be an operation as `belay why` shows them",
                       printable(order.op));
  if (verb == Verb::resolve) {
    if (order.as == name_of(OutcomeKind::success) || order.as == name_of(OutcomeKind::failure))
      return std::nullopt;
    return fmt::format("--as is '{}', it must be success or failure", printable(order.as));
  }
  if (!order.target && !order.payload_file && order.headers.empty() &&
      order.without_headers.empty())
    return "give at least one of --target, --payload, --header and --without-header";
  for (const auto& header : order.headers) {
    if (!header_of(header))
      return fmt::format("--header is '{}', it must be \"Name: value\"", printable(header));
    if (auto wrong = refuse_hidden("--header", header)) return wrong;
  }
  return order.target ? refuse_hidden("--target", *order.target) : std::nullopt;
}

Result<> describe(const BranchOrder& order, Request& request) {
  request.branch_id = order.branch_id;
  request.op = op_from(order.op).value_or(Op::action);  // `wrong_with` has checked it
  request.outcome =
      order.as == name_of(OutcomeKind::success) ? OutcomeKind::success : OutcomeKind::failure;
  auto& changes = request.changes;
  changes.target = order.target;
  for (const auto& header : order.headers)
    if (auto one = header_of(header)) changes.headers.push_back(std::move(*one));
  changes.without_headers = order.without_headers;
  if (!order.payload_file) return {};
  auto payload = read_file(*order.payload_file, kPayloadBytesMax);
  if (!payload) return payload.error();
  changes.payload = std::move(*payload);
  return {};
}

}  // namespace belay::tool
