// What a source of endpoints is to the table: something that watches a name. All of it is on the
// loop's thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "belay/resolver.h"
#include "names/http.h"
#include "names/name.h"
#include "names/timers.h"

struct uv_loop_s;

namespace belay::names {

// Endpoints of one name that are used; the rest is dropped. At 253 bytes for a host and as much for
// its bookkeeping a list takes 128 KiB at the most.
inline constexpr std::size_t kEndpointsMax = 256;
// The answer of a registry: 256 entries of etcd or Consul with all that they carry.
inline constexpr std::size_t kAnswerBytesMax = 4 * 1024 * 1024;

// Who wants to know. Neither function is called within `watch`.
struct Listener {
  // The complete list, also when it has not changed: the source could be asked.
  std::function<void(std::vector<Endpoint> endpoints)> found;
  // The source could not be asked, or its answer not be read; it is tried again by itself.
  std::function<void(std::string why)> failed;
};

// The watch ends when this object is destroyed, which the listener's functions must not do.
class Watch {
 public:
  virtual ~Watch() = default;
};

// What the sources need; it outlives every watch.
struct Site {
  Timers& timers;
  Http& http;
  const base::Log& log;
  uv_loop_s* loop;
  // Runs a function on the loop, in order; from any thread, also after everything was closed, and
  // then without effect.
  std::function<void(std::function<void()>)> post;
};

std::unique_ptr<Watch> watch_etcd(const Site& site, const Name& name, Listener listener);
std::unique_ptr<Watch> watch_consul(const Site& site, const Name& name, Listener listener);
std::unique_ptr<Watch> watch_dns(const Site& site, const Name& name, Listener listener);
// `resolver` must outlive the watch.
std::unique_ptr<Watch> watch_own(const Site& site, const Name& name, const Resolver& resolver,
                                 Listener listener);

}  // namespace belay::names
