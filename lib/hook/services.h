// Targets that name a service: the lane of each service, and the endpoint that a call goes to. What
// is known of the endpoints comes from lib/names. Everything runs on the loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "belay/resolver.h"
#include "hook/directory.h"
#include "hook/host_table.h"
#include "names/name.h"

namespace belay::hook {

class Services {
 public:
  // What is known of a service may have changed, for the calls that wait in this lane.
  using Stirred = std::function<void(ports::Lane lane)>;
  using Clock = std::function<std::uint64_t()>;

  // All must outlive this object. `clock` tells when a look-up has failed, which may be long after
  // it began.
  Services(Directory& directory, HostTable& hosts, const HookOptions& options, Clock clock,
           Stirred stirred)
      : directory_(directory),
        hosts_(hosts),
        options_(options),
        clock_(std::move(clock)),
        stirred_(std::move(stirred)) {}

  // The service's lane; 0: the target cannot be read.
  ports::Lane lane_of(std::string_view target);
  LaneWait* find(ports::Lane lane);
  // When the lane has a place for one more call, or is to be asked again at the latest:
  // Host::kNever, nobody knows. If it has none, each endpoint's host notes the lane.
  std::uint64_t place_at(ports::Lane lane, std::uint64_t now);
  // The target of an endpoint, for one call. Errors: not_found (why none can be called),
  // invalid_argument.
  Result<std::string> pick(std::string_view target, std::uint64_t now);
  void clear();

 private:
  struct Service : LaneWait {
    std::string prefix;
    names::Name name;
    names::Ticket ticket = 0;  // of the look-up that waits
    // Why no endpoint was known at the last look-up. It counts for a moment, in which the calls
    // that wait are told.
    std::string failure{};
    std::uint64_t failed_at = 0;
  };

  Service* service_of(std::string_view target);
  // Null: it is not known.
  names::Balancer* look_up(Service& service, std::uint64_t now);
  void forget_some();
  HostEntry* host_of(const Service& service, const Endpoint& endpoint);

  Directory& directory_;
  HostTable& hosts_;
  const HookOptions& options_;
  const Clock clock_;
  const Stirred stirred_;
  std::map<std::string, Service, std::less<>> services_;  // by protocol and identity
  std::unordered_map<ports::Lane, Service*> by_lane_;
};

}  // namespace belay::hook
