// Which transactions: a filter as SQL. Its conditions are written so that the partial indexes serve
// them; a filter that none serves walks down the ids until the page is full.
#include <fmt/format.h>

#include "store/json.h"
#include "store/reader_impl.h"

namespace belay::store {
namespace {

constexpr std::string_view kNowMillis =
    "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)";

// The smallest text greater than all that begin with `prefix`; empty if there is none.
std::string after_prefix(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (!prefix.empty()) ++prefix.back();
  return prefix;
}

class Conditions {
 public:
  void add(std::string_view condition) {
    sql_ += sql_.empty() ? " WHERE " : " AND ";
    sql_ += condition;
  }
  // The condition has a {} for the text's parameter.
  void add(std::string_view condition, std::string text) {
    texts_.push_back(std::move(text));
    add(fmt::format(fmt::runtime(condition), fmt::format("?{}", texts_.size())));
  }
  // Each of the two has its own limit, so that neither is read further than needed.
  ListQuery take(std::uint32_t limit) && {
    const auto part = [&](std::string_view table, std::string_view where) {
      return fmt::format("SELECT id FROM (SELECT id FROM {}{} ORDER BY id DESC LIMIT {})", table,
                         where, limit);
    };
    const auto overlay = part("temp.overlay", sql_);
    add("id NOT IN (SELECT id FROM temp.overlay)");
    const auto rows = part("main.transaction_rows", sql_);
    return {fmt::format("{} UNION ALL {} ORDER BY id DESC LIMIT {}", rows, overlay, limit),
            std::move(texts_)};
  }

 private:
  std::string sql_;
  std::vector<std::string> texts_;
};

void add_status(Conditions& where, const Filter& filter) {
  // "status < 3" and "status = 4" are the partial indexes' own words.
  const bool unfinished = (filter.finished && !*filter.finished) ||
                          (filter.stuck && *filter.stuck) ||
                          (filter.status && !is_final(*filter.status));
  if (unfinished) where.add("status < 3");
  if (filter.finished && *filter.finished) where.add("status >= 3");
  if (filter.status) where.add(fmt::format("status = {}", static_cast<int>(*filter.status)));
  if (filter.stuck) where.add(*filter.stuck ? "stuck = 1" : "stuck = 0");
  if (filter.mode) where.add(fmt::format("mode = {}", static_cast<int>(*filter.mode)));
}

}  // namespace

ListQuery list_query(const Filter& filter) {
  Conditions where;
  add_status(where, filter);
  if (filter.before_id != 0) where.add(fmt::format("id < {}", filter.before_id));
  if (filter.older_than) {
    where.add(fmt::format("created_at <= {} - {}", kNowMillis, filter.older_than->count()));
  }
  if (filter.newer_than) {
    where.add(fmt::format("created_at >= {} - {}", kNowMillis, filter.newer_than->count()));
  }
  if (!filter.gid_prefix.empty()) {
    where.add("gid >= {}", filter.gid_prefix);
    if (auto end = after_prefix(filter.gid_prefix); !end.empty())
      where.add("gid < {}", std::move(end));
  }
  if (!filter.target.empty()) {
    std::string quoted;
    json::put_text(quoted, filter.target);
    where.add("instr(definition, {}) > 0", std::move(quoted));  // a quick no for most
    where.add(
        "EXISTS (SELECT 1 FROM json_each(definition, '$.steps') AS step"
        " WHERE {0} IN (json_extract(step.value, '$[0]'), json_extract(step.value, '$[1]'),"
        " json_extract(step.value, '$[4]')))",
        filter.target);
  }
  return std::move(where).take(filter.limit + 1);
}

}  // namespace belay::store
