#include "serve/protocol/admin/filters.h"

#include <limits>
#include <optional>
#include <string>

namespace belay::protocol::admin {
namespace {

constexpr std::int64_t kAgeMsMax = 36'525LL * 24 * 3600 * 1000;  // a hundred years
constexpr std::int64_t kIdMax = std::numeric_limits<std::int64_t>::max();

std::optional<Millis> span_of(Query& query, std::string_view name) {
  const auto ms = query.number(name, 0, kAgeMsMax);
  return ms ? std::optional(Millis{*ms}) : std::nullopt;
}

}  // namespace

std::vector<std::string_view> with_filters(std::initializer_list<std::string_view> others) {
  std::vector<std::string_view> names = {"status", "mode",       "older_than_ms", "newer_than_ms",
                                         "target", "gid_prefix", "before",        "limit"};
  names.insert(names.end(), others);
  return names;
}

Filter read_filter(Query& query) {
  Filter filter;
  filter.status =
      query.word("status", &status_from, "prepared, submitted, aborting, succeed, failed");
  filter.mode = query.word("mode", &mode_from, "saga, tcc, xa, msg, workflow");
  filter.older_than = span_of(query, "older_than_ms");
  filter.newer_than = span_of(query, "newer_than_ms");
  filter.target = query.shown_text("target").value_or("");
  filter.gid_prefix = query.text("gid_prefix").value_or("");
  filter.before_id = query.number("before", 1, kIdMax).value_or(0);
  filter.limit =
      static_cast<std::uint32_t>(query.number("limit", 1, kRowsMax).value_or(kRowsDefault));
  return filter;
}

}  // namespace belay::protocol::admin
