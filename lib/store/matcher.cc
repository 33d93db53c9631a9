#include "store/matcher.h"

#include <algorithm>

#include "store/whole.h"

namespace belay::store {

Candidate candidate_of(const sqlite::Statement& row) {
  return {row.bytes(1), static_cast<Mode>(row.integer(2)), static_cast<Status>(row.integer(3)),
          row.integer(4) != 0, row.integer(5)};
}

Candidate candidate_of(const core::Transaction& transaction, std::uint32_t stuck_after) {
  return {transaction.gid(), transaction.mode(), transaction.status,
          core::is_stuck(transaction, stuck_after),
          static_cast<std::int64_t>(transaction.created_at)};
}

Matcher::Matcher(const Filter& filter, std::int64_t now) : filter_(filter) {
  const auto ago = [now](Millis age) {
    return now - std::clamp<std::int64_t>(age.count(), 0, now);
  };
  if (filter.older_than) created_max_ = ago(*filter.older_than);
  if (filter.newer_than) created_min_ = ago(*filter.newer_than);
}

bool Matcher::matches(const Candidate& one) const {
  const bool finished = is_final(one.status);
  return filter_.status.value_or(one.status) == one.status &&
         filter_.mode.value_or(one.mode) == one.mode &&
         filter_.finished.value_or(finished) == finished &&
         filter_.stuck.value_or(one.stuck) == one.stuck && one.created_at <= created_max_ &&
         one.created_at >= created_min_ && one.gid.starts_with(filter_.gid_prefix);
}

bool Matcher::names_target(const core::Definition& definition) const {
  if (filter_.target.empty()) return true;
  for (std::uint32_t i = 0; i < definition.branch_count(); ++i) {
    const auto step = definition.step(i);
    if (step.first == filter_.target || step.rollback == filter_.target ||
        step.commit == filter_.target)
      return true;
  }
  return false;
}

bool Matcher::names_target(std::string_view definition) const {
  return filter_.target.empty() || column_names_target(definition, filter_.target);
}

std::string_view index_condition(const Filter& filter) {
  const bool unfinished = !filter.finished.value_or(true) || filter.stuck.value_or(false) ||
                          (filter.status && !is_final(*filter.status));
  if (unfinished) return " AND status < 3";
  return filter.status == Status::failed ? " AND status = 4" : "";
}

}  // namespace belay::store
