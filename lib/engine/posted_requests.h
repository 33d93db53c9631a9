// The requests that other processes post in the state file: when they are read, and which of them
// have no answer yet. They are read a part at a time, and the next part is read once all answers to
// this one are on disk: so a request that was read is never read again before it is answered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "ports/store.h"

namespace belay::engine {

class PostedRequests {
 public:
  // How long a request waits that cannot be carried out at the moment, in ms.
  static constexpr std::uint64_t kPause = 1'000;
  // While so many gids have a request that waits, nothing more is read.
  static constexpr std::size_t kDeferredMax = 1'024;

  // At a start: what an operator posted while nobody had the file open comes before anything else.
  void start(bool has_posted, bool takes_submits) {
    noticed_ = orders_first_ = has_posted;
    takes_submits_ = takes_submits;
  }
  // False: recovered transactions must not go on yet.
  bool orders_taken() const { return !orders_first_; }
  // The file may have new requests.
  void notice() { noticed_ = true; }

  // What must be read now, if anything. `monotonic`: ms.
  std::optional<ports::Store::PostedQuery> to_read(std::uint64_t monotonic);
  void begin_read() {
    reading_ = true;
    noticed_ = false;
  }
  void end_read(const ports::Store::PostedQuery& query, Result<ports::Store::Posted> result,
                std::uint64_t monotonic);
  bool is_reading() const { return reading_; }
  // When something must be read again, monotonic; 0: nothing waits for a time, or the end of what
  // is under way comes first.
  std::uint64_t next_read_at() const { return is_busy() ? 0 : retry_at_; }

  bool has_next() const { return !waiting_.empty(); }
  // The engine closes: what was read and not taken stays in the file.
  void drop_waiting() { waiting_.clear(); }
  // The next request. It has no answer until `answered` or `defer` is called for its id.
  ports::PostedRequest take();
  // True: the request has no answer yet.
  bool is_open(std::int64_t id) const { return open_.contains(id); }
  // The gid of an open request.
  const std::string& gid_of(std::int64_t id) const { return open_.at(id); }
  // A request for this gid waits in the file for another try.
  bool is_deferred(std::string_view gid) const { return !gid.empty() && deferred_.contains(gid); }
  // The answer is in the open batch.
  void answered(std::int64_t id);
  // The request cannot be carried out at the moment. It stays in the file, as does what was posted
  // behind it for the same gid. `no_room`: no submit can be carried out.
  void defer(std::int64_t id, bool no_room, std::uint64_t monotonic);
  // True: an earlier request of this gid waits, or no submit can be carried out.
  bool must_wait(const ports::PostedRequest& request) const;
  // A batch is on disk, with `answers` answers.
  void committed(std::size_t answers) { in_batches_ -= answers; }

 private:
  bool is_busy() const {
    return reading_ || !waiting_.empty() || !open_.empty() || in_batches_ != 0;
  }

  bool takes_submits_ = true;
  bool noticed_ = false;
  bool reading_ = false;
  bool orders_first_ = false;
  bool orders_read_ = false;  // with orders_first_: all of them were read
  bool no_room_ = false;
  // All requests up to these were read: of all, and of those that are no submits.
  std::int64_t after_ = 0;
  std::int64_t orders_after_ = 0;
  std::uint64_t retry_at_ = 0;  // when all that were deferred are read again
  std::size_t in_batches_ = 0;  // answers that are not on disk yet
  std::deque<ports::PostedRequest> waiting_;
  std::unordered_map<std::int64_t, std::string> open_;  // the gids of requests without an answer
  std::set<std::string, std::less<>> deferred_;         // gids
};

}  // namespace belay::engine
