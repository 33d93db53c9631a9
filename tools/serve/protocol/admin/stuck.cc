// Stuck transactions by what they wait for.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "serve/protocol/admin/handlers.h"
#include "serve/protocol/admin/query.h"
#include "view/groups.h"
#include "view/hide.h"
#include "view/stuck.h"

namespace belay::protocol::admin {
namespace {

constexpr std::int64_t kGroupsDefault = 50;
constexpr std::int64_t kGroupsMax = 500;
// Looked at in one request, the newest first: about half a second's work.
constexpr std::uint64_t kLookedAtMax = 20'000;

constexpr std::string_view kGroupNames = "handler, host, error";
constexpr std::int64_t kGidsMax = 1'000;

struct StuckRequest {
  tool::GroupBy by = tool::GroupBy::handler;
  std::string key{};  // of one group; empty: of those that wait for nothing that has a name
  std::uint64_t limit = 0;
  Secrets secrets{};
};

// Without what groups are not made of: to hide secrets in it would take most of the time.
void make_shown(WholeTransaction& found, Secrets secrets) {
  found.row.definition.clear();
  if (secrets == Secrets::hidden) tool::hide_secrets(found);
}

// `stuck`: how many there are.
Result<Json> group(Reader& reader, const StuckRequest& request, std::uint64_t stuck) {
  tool::Groups groups(request.by);
  std::uint64_t looked_at = 0;
  const auto take = [&](WholeTransaction&& found) {
    ++looked_at;
    make_shown(found, request.secrets);
    groups.add(found.row, found.branches);
    return looked_at < kLookedAtMax;
  };
  BELAY_TRY(tool::for_each_stuck(reader, {}, 0, take));
  auto shown = Json::array();
  std::uint64_t in_shown = 0;
  for (const auto* one : groups.largest(request.limit)) {
    in_shown += one->transactions;
    shown.push_back(tool::json_of(*one, request.by));
  }
  // A transaction that waits for several things is in several groups.
  const auto all = std::max(stuck, looked_at);
  return Json{{"groups", std::move(shown)}, {"left_out", all - std::min(all, in_shown)}};
}

Result<Json> gids_of(Reader& reader, const StuckRequest& request) {
  auto gids = Json::array();
  bool has_more = false;
  std::uint64_t looked_at = 0;
  const auto take = [&](WholeTransaction&& found) {
    if (looked_at++ == kLookedAtMax) return !(has_more = true);
    make_shown(found, request.secrets);
    const bool is_one = std::any_of(
        found.branches.begin(), found.branches.end(),
        [&](const auto& branch) { return tool::key_of(branch, request.by) == request.key; });
    if (!is_one) return true;
    if (gids.size() == request.limit) return !(has_more = true);
    gids.push_back(std::move(found.row.gid));
    return true;
  };
  BELAY_TRY(tool::for_each_stuck(reader, {}, 0, take));
  return Json{{"gids", std::move(gids)}, {"has_more", has_more}};
}

}  // namespace

void stuck_gids(const Turn& turn, const http::Respond& respond) {
  Query query(turn.request, {"by", "key", "limit"});
  StuckRequest request;
  request.by = query.word("by", &tool::group_by_from, kGroupNames).value_or(request.by);
  request.key = query.text("key").value_or("");
  request.limit = static_cast<std::uint64_t>(query.number("limit", 1, kGidsMax).value_or(kGidsMax));
  request.secrets = turn.context->options.secrets;
  if (query.wrong()) return respond(bad_request(query.wrong()->detail));
  answer_from_file(turn, respond, [request](Reader& reader) { return gids_of(reader, request); });
}

void stuck(const Turn& turn, const http::Respond& respond) {
  Query query(turn.request, {"by", "limit"});
  StuckRequest request;
  request.by = query.word("by", &tool::group_by_from, kGroupNames).value_or(request.by);
  request.limit =
      static_cast<std::uint64_t>(query.number("limit", 1, kGroupsMax).value_or(kGroupsDefault));
  request.secrets = turn.context->options.secrets;
  if (query.wrong()) return respond(bad_request(query.wrong()->detail));
  answer_from_file(turn, respond,
                   [request, stuck = turn.context->engine.counters().stuck](Reader& reader) {
                     return group(reader, request, stuck);
                   });
}

}  // namespace belay::protocol::admin
