// An engine in miniature: makes the batches an engine would make (records, rows, folding) out of
// seeded answers, and knows what the file must say after each. It hands the same batch out again
// until it is acknowledged.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/codec.h"
#include "core/decide.h"
#include "ports/store.h"
#include "store/journal.h"
#include "support/random.h"

namespace belay::test {

// What a file says, by gid: an unfinished transaction's snapshot, or how a finished one ended. And
// by "topic://", topic and target, a subscription's remark; without the target, the topic's
// version. And by "request " and its id, what a request was answered.
using Contents = std::map<std::string, std::string>;

class Feeder {
 public:
  explicit Feeder(std::uint64_t seed) : random_(seed) {}

  const ports::Batch& batch();
  void acknowledged();
  // The next batch answers these, and holds their effects.
  void take(std::vector<ports::PostedRequest> requests) { asked_ = std::move(requests); }
  // Of a transaction that there is, was, or is not yet.
  std::string some_gid() { return "g-" + std::to_string(random_.between(1, last_id_ + 1)); }

  // After all acknowledged batches; and if the one in flight counts as well.
  const Contents& acked() const { return acked_; }
  const Contents& in_flight() const { return batch_ ? next_ : acked_; }
  // Rows that may be there or not: their retention ended, or their history is not kept.
  bool is_optional(const std::string& gid) const { return optional_.contains(gid); }
  // Everything that succeeded so far may go.
  ports::Store::Expiry expire();

 private:
  struct Entry {
    core::Transaction transaction;
    core::Lsn first_lsn = 0;  // 0: a row covers all
    core::Lsn last_lsn = 0;
    bool written = false;  // finished, and its row is in an acknowledged batch
  };

  void submit();
  std::string make_definition(const std::string& gid, bool& prepared);
  void add_branch(Entry& entry);
  void tell_workflow(Entry& entry);
  void change_topic();
  void carry_out(const ports::PostedRequest& request);
  void advance(Entry& entry);
  void decide(Entry& entry, const core::Event& event);
  void add_rows();
  Contents contents() const;

  Random random_;
  Options options_;
  core::Step step_;
  core::BatchWriter writer_;
  std::map<core::TransactionId, Entry> entries_;
  std::optional<ports::Batch> batch_;
  Contents acked_;
  Contents next_;
  std::map<std::string, bool> optional_;
  core::Topics topics_;
  std::vector<ports::PostedRequest> asked_;
  std::map<std::int64_t, std::string> answers_;
  core::Lsn last_lsn_ = 0;
  core::TransactionId last_id_ = 0;
  std::uint64_t now_ = 1'760'000'000'000;
};

std::string describe(const core::Transaction& transaction);
// What the journal says of itself and of these gids. Nothing if it cannot be read.
std::optional<Contents> read_all(store::Journal& journal, const Contents& expected);

}  // namespace belay::test
