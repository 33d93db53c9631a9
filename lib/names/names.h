// The names that are in use, and the endpoints of each. A name is watched from its first look-up
// until it was not looked up for some minutes; its last list stays when its source cannot be asked.
// Everything is on the loop's thread, unless a comment says otherwise.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "belay/resolver.h"
#include "belay/result.h"
#include "names/http.h"
#include "names/name.h"
#include "names/table.h"

struct uv_loop_s;

namespace belay::names {

// By the word that stands for the resolver in a target.
using Resolvers = std::map<std::string, Resolver, std::less<>>;
// By the word that stands for it in a target: a registry and a name in it, in which "{}" is
// replaced by the target's name. With {"discovery", "etcd://10.0.0.5:2379/%2Fmicroservices%2F{}"}
// the target "discovery:///stock/pkg.Stock/Take" is found where kratos registers it, and no target
// has the registry's password.
using Aliases = std::map<std::string, std::string, std::less<>>;

class Names {
 public:
  // Errors: invalid_argument (a word that is no scheme, is one of the sources here or is there
  // twice; a resolver without a function, or with a refresh out of its range; an alias that is no
  // registry, or has no "{}"). Nothing is put on the loop before `start`.
  static Result<std::unique_ptr<Names>> make(Resolvers resolvers, const Aliases& aliases,
                                             const base::Log& log);
  ~Names();

  // Whether this target could be looked up. From any thread. Errors: invalid_argument,
  // unsupported (this build looks no names up).
  Result<> check(std::string_view target) const;

  // `http` must live until `closed`. `post`: see Site. Errors: resources; then nothing is on the
  // loop.
  Result<> start(uv_loop_s* loop, Http& http, std::function<void(std::function<void()>)> post);
  // See Table.
  LookUp look_up(const Name& name, Found found);
  // The look-up need not be answered any more.
  void forget(Ticket ticket);

  std::vector<NameFigures> figures() const;  // ordered by name
  // Ends all watches, and the look-ups that wait are not answered; `closed` runs when nothing is
  // left on the loop.
  void close(std::function<void()> closed);

 private:
  class Impl;
  explicit Names(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace belay::names
