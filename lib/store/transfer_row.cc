#include "store/transfer_row.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "base/check_length.h"
#include "core/bounds.h"
#include "core/codec.h"
#include "core/consistent.h"
#include "core/edit.h"
#include "core/timeline.h"
#include "store/whole.h"

namespace belay::store::transfer {
namespace {

// More than any limit of an engine that is of use, see Limits::gid_bytes_max.
constexpr std::size_t kGidBytesMax = 4'096;
constexpr std::size_t kTextBytesMax = 1'024;  // of names and remarks

Error corrupt(std::string detail) { return {ErrorCode::corrupt, std::move(detail)}; }

Result<> check_gid(const std::string& gid) {
  BELAY_TRY(base::check_length("gid", gid, 1, kGidBytesMax));
  if (std::any_of(gid.begin(), gid.end(), base::is_control))
    return corrupt("the gid has a control character");
  return {};
}

// The columns as readers read them.
Result<> check_columns(const RowLine& row) {
  Columns columns;
  columns.row.gid = row.gid;
  columns.row.mode = row.mode;
  columns.row.status = row.status;
  columns.row.definition = row.definition;
  columns.branches = row.branches;
  columns.timeline = row.timeline;
  columns.progress = row.progress;
  auto whole = whole_of(std::move(columns));
  return whole ? Result<>() : Result<>(whole.error());
}

Result<Checked> check_snapshot(const RowLine& row) {
  auto transaction = core::decode_snapshot(row.snapshot);
  if (!transaction) return transaction.error();
  if (transaction->gid() != row.gid || transaction->mode() != row.mode ||
      transaction->status != row.status || transaction->created_at != row.created_at ||
      transaction->updated_at != row.updated_at)
    return corrupt("its snapshot is another transaction's or says another status");
  auto events = core::decode_timeline(transaction->timeline, transaction->created_at);
  if (!events) return events.error();
  if (!core::is_consistent(*transaction)) return corrupt("its snapshot can have come from nowhere");
  if (transaction->definition.edit_count() > core::kEditsMax)
    return corrupt("it was edited more often than is allowed");
  if (!core::will_wake(*transaction)) return corrupt("nothing would ever wake it");
  return Checked{std::make_unique<core::Transaction>(std::move(*transaction))};
}

}  // namespace

Result<Checked> check(const RowLine& row) {
  BELAY_TRY(check_gid(row.gid));
  if (row.mode > Mode::workflow || row.status > Status::failed)
    return corrupt("its mode or status is none");
  BELAY_TRY(check_columns(row));
  if (!is_final(row.status)) return check_snapshot(row);
  return Checked{};
}

Result<> check(const TopicLine& topic) {
  BELAY_TRY(base::check_length("topic's name", topic.name, 1, kTextBytesMax));
  for (const auto& [target, remark] : topic.state.subscribers) {
    BELAY_TRY(base::check_length("target", target, 1, core::kTargetBytesMax));
    BELAY_TRY(base::check_length("remark", remark, 0, kTextBytesMax));
  }
  return {};
}

Result<> check(const XaRealm& realm) {
  BELAY_TRY(base::check_length("realm", realm.realm, 1, kTextBytesMax));
  return base::check_length("participant", realm.participant, 0, kTextBytesMax);
}

}  // namespace belay::store::transfer
