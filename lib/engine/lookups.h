// The gids that are looked up on disk, and for each gid the requests that wait for the result, in
// order.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/requests.h"
#include "ports/store.h"

namespace belay::engine {

class Lookups {
 public:
  // A gid whose lookup has returned; the requests that wait for it are decided when it is their
  // turn.
  struct Found {
    std::string gid;
    std::optional<ports::StoredSummary> stored;
  };

  struct Waiting {
    std::vector<GidRequest> requests;
    Load load;  // the load of `requests`, which are no longer queued
  };

  void add(GidRequest request);
  bool has_to_send() const { return !to_send_.empty(); }
  // The next gids to look up, at most `most`; without an argument all of them.
  std::vector<std::string> take_to_send(std::size_t most);
  std::vector<std::string> take_to_send() { return take_to_send(to_send_.size()); }

  void came_back(const std::string& gid, std::optional<ports::StoredSummary> stored) {
    found_.push_back({gid, std::move(stored)});
  }
  bool has_found() const { return !found_.empty(); }
  Found take_found();

  // All requests that wait for a gid, including those that came after its lookup began. Only a
  // request in this list can begin a transaction with this gid, so the result of the lookup is
  // valid for all of them. They are decided together: otherwise one request could begin the
  // transaction, and after its end another request could begin it again.
  Waiting take_waiting(const std::string& gid);
  // All waiting requests. The lookups of their gids go on, and a request that comes meanwhile waits
  // for them.
  Waiting take_all_waiting();
  // The load of the waiting requests.
  const Load& load() const { return load_; }

 private:
  std::unordered_map<std::string, std::vector<GidRequest>> waiting_;
  std::vector<std::string> to_send_;
  std::deque<Found> found_;
  Load load_;
};

}  // namespace belay::engine
