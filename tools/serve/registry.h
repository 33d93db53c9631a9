// What a registry is told of this server: it is here, it is still here, it goes. Each call is one
// or two HTTP requests, which take 2 seconds each at most.
#pragma once

#include <memory>
#include <string>

#include "belay/hooks.h"
#include "belay/result.h"

namespace belay::tool {

class Registry {
 public:
  // How long an entry stays that is not renewed.
  static constexpr int kLifetimeSeconds = 15;

  virtual ~Registry() = default;
  // Errors: storage (it cannot be asked, or does not want to; with the reason).
  virtual Result<> enter() = 0;
  // Errors: storage (it cannot be asked), not_found (it knows the entry no more).
  virtual Result<> renew() = 0;
  virtual Result<> leave() = 0;

  // `registry` is "etcd://HOST:PORT[,HOST:PORT…]/KEY" or "consul://HOST:PORT/NAME", or the same
  // with etcds and consuls, `endpoint` is "HOST:PORT". Of the options only those of TLS. Errors:
  // invalid_argument.
  static Result<std::unique_ptr<Registry>> make(const std::string& registry,
                                                const std::string& endpoint,
                                                const HookOptions& options);
};

}  // namespace belay::tool
