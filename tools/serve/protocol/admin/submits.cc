// A submit, as belay/requests.h describes it.
#include <fmt/format.h>

#include <array>
#include <string>
#include <utility>

#include "base/ascii.h"
#include "serve/protocol/admin/body.h"
#include "serve/protocol/admin/handlers.h"
#include "serve/protocol/parse.h"
#include "view/text.h"

namespace belay::protocol::admin {
namespace {

constexpr std::array<std::string_view, 9> kTargets = {
    "action", "compensate", "try", "confirm", "cancel", "prepare", "commit", "rollback", "target"};

bool is_callable(std::string_view target) {
  constexpr std::string_view kJsonRpc = "jsonrpc+";
  if (target.empty() || target.starts_with("topic://")) return true;
  if (base::starts_with_ignoring_case(target, kJsonRpc)) target.remove_prefix(kJsonRpc.size());
  return http::is_url(target);
}

std::optional<std::string> uncallable(const nlohmann::json& object, std::string_view name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  const auto& target = found->get_ref<const std::string&>();
  if (is_callable(target)) return std::nullopt;
  return fmt::format("{} is '{}', no URL of http:// or https://", name, tool::printable(target));
}

// A server has no registered handlers: a branch of one would wait for ever. Everything else about
// the body is the engine's business.
std::optional<std::string> wrong_target(const nlohmann::json& body) {
  if (auto wrong = uncallable(body, "query")) return wrong;
  const auto steps = body.find("steps");
  if (steps == body.end() || !steps->is_array()) return std::nullopt;
  for (std::size_t i = 0; i < steps->size(); ++i) {
    if (!(*steps)[i].is_object()) continue;
    for (const auto name : kTargets) {
      if (const auto wrong = uncallable((*steps)[i], name))
        return fmt::format("step {}: {}", i + 1, *wrong);
    }
  }
  return std::nullopt;
}

}  // namespace

void submit(const Turn& turn, const http::Respond& respond) {
  if (auto refusal = refuse_body(turn.request, kBodyBytesMax)) return respond(std::move(*refusal));
  const auto body = parse_object(turn.request.body);
  if (!body) return respond(bad_request(body.error().detail));
  if (turn.context->options.urls_only) {
    if (const auto wrong = wrong_target(*body)) return respond(bad_request(*wrong));
  }
  protocol::ask<Report>(
      [respond](const Result<Report>& report) {
        if (!report) return respond(error(report.error()));
        respond(value({{"gid", report->gid()}, {"status", name_of(report->status())}}));
      },
      [&](ReportCallback done) {
        return turn.context->engine.submit_json(turn.request.body, std::move(done));
      });
}

}  // namespace belay::protocol::admin
