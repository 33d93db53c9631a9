// The targets that an operator holds. Their calls wait, each hold's in a lane of its own, which is
// opened when the target is released.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "belay/hold.h"
#include "ports/caller.h"
#include "ports/store.h"

namespace belay::engine {

class Holds {
 public:
  static constexpr std::size_t kMax = 1'000;

  // `caller` must outlive this object.
  explicit Holds(ports::Caller& caller) : caller_(caller) {}

  void adopt(std::vector<Hold> holds);
  // Errors: invalid_argument (a text is empty or too long), conflict (held already), not_found (to
  // be released, and not held), forbidden (too many).
  Result<> check(const ports::HoldChange& change) const;
  // Makes a change that `check` has allowed. A released target is held until that is on disk.
  void apply(const ports::HoldChange& change);
  // The change is on disk. Returns the lane of a target that is released by it.
  std::optional<ports::Lane> committed(const ports::HoldChange& change);

  struct Held {
    ports::Lane lane{};
    std::string why;
  };
  // The hold of the target or of its host.
  std::optional<Held> find(std::string_view target) const;

 private:
  struct Entry {
    ports::Lane lane{};
    Hold hold;
    bool is_released = false;  // and that is not on disk yet
  };
  using Entries = std::map<std::string, Entry, std::less<>>;

  ports::Caller& caller_;
  Entries entries_;
  std::uint64_t count_ = 0;  // of all so far: each has a lane that is never used again
};

}  // namespace belay::engine
