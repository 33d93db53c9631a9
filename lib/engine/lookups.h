// Gids that are looked for on disk, and the requests that wait for each, in order.
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
  // A gid whose lookup came back; what waits for it is decided in its turn.
  struct Found {
    std::string gid;
    std::optional<ports::StoredSummary> stored;
  };

  struct Waiting {
    std::vector<GidRequest> requests;
    Load load;  // of them: queued no longer
  };

  void add(GidRequest request);
  bool has_to_send() const { return !to_send_.empty(); }
  // The next of them to be asked for; all of them that are left.
  std::vector<std::string> take_to_send(std::size_t most);
  std::vector<std::string> take_to_send() { return take_to_send(to_send_.size()); }

  void came_back(const std::string& gid, std::optional<ports::StoredSummary> stored) {
    found_.push_back({gid, std::move(stored)});
  }
  bool has_found() const { return !found_.empty(); }
  Found take_found();

  // All that wait for a gid, those too that came after its lookup: nobody else can have begun it,
  // so what the disk said still holds. They go on together, or one of them could begin it and
  // another, when it has ended, begin it again.
  Waiting take_waiting(const std::string& gid);
  // All. Their gids are still asked for, and whoever comes meanwhile waits for that.
  Waiting take_all_waiting();
  // Of those that wait.
  const Load& load() const { return load_; }

 private:
  std::unordered_map<std::string, std::vector<GidRequest>> waiting_;
  std::vector<std::string> to_send_;
  std::deque<Found> found_;
  Load load_;
};

}  // namespace belay::engine
