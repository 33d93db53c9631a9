// The names in use and what is known of each: lists, how old they are, who waits for the first one.
// Whoever watches a name is behind a function, and the time behind Timers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/log.h"
#include "belay/resolver.h"
#include "names/balance.h"
#include "names/name.h"
#include "names/resolver.h"
#include "names/timers.h"

namespace belay::names {

// A look-up that waits; 0: none.
using Ticket = std::uint64_t;
// The endpoints of a name, which may be none. Valid until the loop goes on. Null: they are not
// known, and `why` says for what reason.
using Found = std::function<void(Balancer* service, const std::string& why)>;

struct LookUp {
  Balancer* service = nullptr;  // null: the look-up waits
  Ticket ticket = 0;
};

class Table {
 public:
  static constexpr std::size_t kNamesMax = 256;
  static constexpr std::size_t kListBytesMax = 8 * 1024 * 1024;  // of all lists together
  static constexpr std::uint64_t kIdleMillis = 5 * 60 * 1000;    // then a name is not watched
  static constexpr std::uint64_t kWaitMillis = 10'000;           // for the first list of a name

  using Watcher = std::function<std::unique_ptr<Watch>(const Name& name, Listener listener)>;

  // Both references must outlive the table.
  Table(Timers& timers, const base::Log& log, Watcher watcher)
      : timers_(timers), log_(log), watcher_(std::move(watcher)), sweep_(timers) {}

  // The service, if a list of it is known, however old. Otherwise the look-up waits, and `found` is
  // called once, later, with the first list, the first failure to ask for it, or after
  // `kWaitMillis`. The service is valid until the loop goes on, or this is called again.
  LookUp look_up(const Name& name, Found found);
  // The look-up is not answered any more. A ticket that was answered does no harm.
  void forget(Ticket ticket) { waiting_.erase(ticket); }

  std::vector<NameFigures> figures() const;  // ordered by name
  void clear();

 private:
  struct Entry {
    Name name;
    std::unique_ptr<Watch> watch;
    Balancer balancer;
    std::size_t bytes = 0;  // of the list
    bool known = false;
    bool stale = false;
    std::uint64_t stale_since = 0;
    std::uint64_t lists = 0, failures = 0;
    std::string last_error;
    std::uint64_t used_at = 0;
    std::uint64_t left_out = 0;  // endpoints in the last list that are not used
  };
  struct Waiting {
    std::string identity;
    Found found;
    std::unique_ptr<Alarm> limit;
  };

  Entry* open(const Name& name);
  bool make_room();
  Ticket wait(const Name& name, Found found);
  void answer_later(const std::string& identity);
  void on_found(Entry& entry, std::vector<Endpoint> endpoints);
  void on_failed(Entry& entry, std::string why);
  void keep_usable(Entry& entry, std::vector<Endpoint>& endpoints);
  void sweep();
  void drop(const std::string& identity);

  Timers& timers_;
  const base::Log& log_;
  const Watcher watcher_;
  std::size_t bytes_ = 0;
  Ticket last_ticket_ = 0;
  std::map<Ticket, Waiting> waiting_;
  std::unordered_map<std::string, std::unique_ptr<Entry>> entries_;
  Alarm sweep_;
};

}  // namespace belay::names
