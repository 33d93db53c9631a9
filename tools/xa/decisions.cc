#include "xa/decisions.h"

#include <algorithm>
#include <map>

#include "base/spans.h"
#include "view/rows.h"

namespace belay::tool {
namespace {

constexpr Millis kClocksDiffer = base::kDay;

// "belay-REALM.GID.BRANCH": the gid, if the xid contains one and not its digest. The gid is right
// if making the xid from it again gives the same xid.
std::string_view gid_within(std::string_view xid, std::string_view realm) {
  const auto prefix = std::string_view("belay-").size() + realm.size() + 1;
  const auto end = xid.rfind('.');
  if (end == std::string_view::npos || end <= prefix) return {};
  return xid.substr(prefix, end - prefix);
}

Decision decision_of(const WholeTransaction& whole) {
  if (!is_final(whole.row.status)) return Decision::unfinished;
  if (whole.row.status == Status::succeed) return Decision::commit;
  const bool commits = std::any_of(whole.timeline.begin(), whole.timeline.end(),
                                   [](const auto& one) { return one.event == "committing"; });
  return commits ? Decision::commit : Decision::roll_back;
}

class Judge {
 public:
  Judge(Reader& reader, std::string_view realm, const std::vector<PreparedXa>& prepared)
      : reader_(reader), realm_(realm), all_(judge_without_file(prepared)) {
    for (auto& one : all_) by_xid_.emplace(one.prepared.xid, &one);
  }

  Result<std::vector<JudgedXa>> run() {
    for (auto& one : all_) {
      if (by_xid_.contains(one.prepared.xid)) BELAY_TRY(take_gid(one));
    }
    BELAY_TRY(take_digests());
    return std::move(all_);
  }

 private:
  // A transaction that the file forgets meanwhile is treated as unknown.
  Result<> take_gid(JudgedXa& one) {
    const std::string gid(gid_within(one.prepared.xid, realm_));
    if (gid.empty()) return {};
    const auto whole = reader_.read(gid);
    if (!whole && whole.error().code == ErrorCode::not_found) return {};
    if (!whole) return whole.error();
    if (whole->row.mode != Mode::xa || is_final(whole->row.status)) {
      take(*whole);
      return {};
    }
    // The same for a branch that the file does not know: nothing is ended while an engine may still
    // use it.
    one.decision = Decision::unfinished;
    one.gid = gid;
    by_xid_.erase(one.prepared.xid);
    return {};
  }

  void take(const WholeTransaction& whole) {
    const auto& row = whole.row;
    if (row.mode != Mode::xa) return;
    const auto decision = decision_of(whole);
    for (const auto& branch : whole.branches) {
      const auto found = by_xid_.find(xid_of(realm_, row.gid, branch.branch_id));
      if (found == by_xid_.end()) continue;
      auto& one = *found->second;
      by_xid_.erase(found);
      // The prepared transaction belongs to an earlier transaction with the same gid, which the
      // file has forgotten: it is older by more than the clocks of two machines differ.
      const bool is_older = one.prepared.prepared_at != TimePoint() &&
                            one.prepared.prepared_at + kClocksDiffer < row.created_at &&
                            is_final(row.status);
      if (is_older) continue;
      one.decision = decision;
      one.gid = row.gid;
    }
  }

  // A digest does not contain its gid, so all XA transactions are searched, the newest first.
  Result<> take_digests() {
    const auto is_digest = [](const auto& one) { return one.first.find('~') != std::string::npos; };
    Filter filter;
    filter.mode = Mode::xa;
    filter.limit = kWholeRows;
    while (std::any_of(by_xid_.begin(), by_xid_.end(), is_digest)) {
      const auto page = reader_.list_whole(filter);
      if (!page) return page.error();
      for (const auto& whole : page->transactions) take(whole);
      filter.before_id = page->next_before_id;
      if (filter.before_id == 0) break;
    }
    return {};
  }

  Reader& reader_;
  const std::string_view realm_;
  std::vector<JudgedXa> all_;
  std::map<std::string, JudgedXa*> by_xid_;  // those not found in the file yet
};

}  // namespace

std::string_view name_of(Decision decision) {
  switch (decision) {
    case Decision::commit: return "commit";
    case Decision::roll_back: return "rollback";
    case Decision::unfinished: return "unfinished";
    case Decision::unknown: break;
  }
  return "unknown";
}

Result<std::vector<JudgedXa>> judge(Reader& reader, std::string_view realm,
                                    const std::vector<PreparedXa>& prepared) {
  return Judge(reader, realm, prepared).run();
}

std::vector<JudgedXa> judge_without_file(const std::vector<PreparedXa>& prepared) {
  std::vector<JudgedXa> all;
  all.reserve(prepared.size());
  for (const auto& one : prepared) all.push_back({one, Decision::unknown, {}});
  return all;
}

}  // namespace belay::tool
