// Stuck transactions by what they wait for.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/cause.h"
#include "serve/protocol/admin/filters.h"
#include "serve/protocol/admin/handlers.h"
#include "view/groups.h"
#include "view/hide.h"
#include "view/stuck.h"
#include "view/text.h"

namespace belay::protocol::admin {
namespace {

constexpr std::int64_t kGroupsDefault = 50;
constexpr std::int64_t kGroupsMax = 500;
// Looked at in one request, the newest first: about half a second's work.
constexpr std::uint64_t kLookedAtMax = 20'000;

constexpr std::string_view kGroupNames = "handler, host, error";
// Of one page, and one transaction more. A client reads 262,144 values, of some ten bytes each.
constexpr std::size_t kPageBytesMax = 2 * 1024 * 1024;
// Each looks at 10,000 rows at most, of which a filter may leave few.
constexpr int kReadsMax = 20;

struct GroupsRequest {
  tool::GroupBy by = tool::GroupBy::handler;
  std::uint64_t limit = 0;
  Secrets secrets{};
};

struct PageRequest {
  tool::StuckChoice choice{};
  // Only the branches of one group; an empty key: of those that wait for nothing that has a name.
  std::optional<tool::GroupBy> by{};
  std::string key{};
  Secrets secrets{};
};

// Without what groups are not made of: to hide secrets in it would take most of the time.
void make_shown(WholeTransaction& found, Secrets secrets) {
  found.row.definition.clear();
  if (secrets == Secrets::hidden) tool::hide_secrets(found);
}

// `stuck`: how many there are.
Result<Json> group(Reader& reader, const GroupsRequest& request, std::uint64_t stuck) {
  tool::Groups groups(request.by);
  std::uint64_t looked_at = 0;
  const auto take = [&](WholeTransaction&& found) {
    ++looked_at;
    make_shown(found, request.secrets);
    groups.add(found.row, found.branches);
    return looked_at < kLookedAtMax;
  };
  const auto list = [&](const auto& choice) { return tool::stuck_page(reader, choice); };
  BELAY_TRY(tool::for_each_stuck(list, {}, 0, take));
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

Json json_of_waiting(const WholeTransaction& found) {
  auto row = tool::json_of(found.row);
  row.erase("definition");
  auto branches = Json::array();
  for (const auto& branch : found.branches) branches.push_back(tool::json_of(branch));
  return {{"transaction", std::move(row)}, {"branches", std::move(branches)}};
}

// Ends early at each of its limits, and says then where to go on.
Result<Json> page_of(Reader& reader, const PageRequest& request) {
  auto rows = Json::array();
  Json next;
  std::size_t bytes = 0;
  int reads = 0;
  const auto list = [&](const tool::StuckChoice& choice) {
    auto page = tool::stuck_page(reader, choice);
    if (page && ++reads == kReadsMax && page->next_before_id != 0)
      next = std::exchange(page->next_before_id, 0);
    return page;
  };
  const auto take = [&](WholeTransaction&& found) {
    const auto id = found.row.id;
    make_shown(found, request.secrets);
    if (request.by) {
      std::erase_if(found.branches, [&](const BranchRow& branch) {
        return tool::key_of(branch, *request.by) != request.key;
      });
    }
    if (!found.branches.empty()) {
      rows.push_back(json_of_waiting(found));
      bytes += tool::json_text(rows.back()).size();
    }
    const bool is_full = rows.size() == request.choice.filter.limit || bytes >= kPageBytesMax;
    if (is_full) next = id;
    return !is_full;
  };
  const auto wanted = request.by ? 0 : request.choice.filter.limit;
  BELAY_TRY(tool::for_each_stuck(list, request.choice, wanted, take));
  return Json{{"transactions", std::move(rows)}, {"next_before", std::move(next)}};
}

PageRequest read_page_request(Query& query) {
  PageRequest request;
  request.choice.filter = read_filter(query);
  request.by = query.word("by", &tool::group_by_from, kGroupNames);
  request.key = query.text("key").value_or("");
  if (!request.by && !request.key.empty()) query.refuse("key", "it needs 'by'");
  if (const auto host = query.shown_text("host")) {
    request.choice.host = base::host_of(*host);
    if (request.choice.host.empty()) query.refuse("host", "it is no http or https URL");
  }
  return request;
}

}  // namespace

void stuck_transactions(const Turn& turn, const http::Respond& respond) {
  Query query(turn.request, with_filters({"host", "by", "key"}));
  auto request = read_page_request(query);
  request.secrets = turn.context->options.secrets;
  if (query.wrong()) return respond(bad_request(query.wrong()->detail));
  answer_from_file(turn, respond, [request](Reader& reader) { return page_of(reader, request); });
}

void stuck(const Turn& turn, const http::Respond& respond) {
  Query query(turn.request, {"by", "limit"});
  GroupsRequest request;
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
