// A submit, as belay/requests.h describes it.
#include <fmt/format.h>

#include <array>
#include <string>
#include <utility>

#include "serve/protocol/admin/body.h"
#include "serve/protocol/admin/handlers.h"
#include "serve/protocol/describe.h"
#include "serve/protocol/parse.h"

namespace belay::protocol::admin {
namespace {

constexpr std::array<std::string_view, 9> kTargets = {
    "action", "compensate", "try", "confirm", "cancel", "prepare", "commit", "rollback", "target"};

// The engine refuses a topic where none may be.
bool is_for_the_engine(std::string_view target) {
  return target.empty() || target.starts_with("topic://");
}

std::optional<std::string> wrong_member(const nlohmann::json& object, std::string_view name,
                                        const ServiceOptions& options) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  const auto& target = found->get_ref<const std::string&>();
  if (is_for_the_engine(target)) return std::nullopt;
  return wrong_target(name, target, options);
}

// Everything else about the body is the engine's business.
std::optional<std::string> wrong_body(const nlohmann::json& body, const ServiceOptions& options) {
  if (auto wrong = wrong_member(body, "query", options)) return wrong;
  const auto steps = body.find("steps");
  if (steps == body.end() || !steps->is_array()) return std::nullopt;
  for (std::size_t i = 0; i < steps->size(); ++i) {
    if (!(*steps)[i].is_object()) continue;
    for (const auto name : kTargets) {
      if (const auto wrong = wrong_member((*steps)[i], name, options))
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
  if (const auto wrong = wrong_body(*body, turn.context->options))
    return respond(bad_request(*wrong));
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
