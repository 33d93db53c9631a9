#include "names/own_check.h"

#include <string>

#include "base/invalid.h"
#include "names/name.h"

namespace belay::names {
namespace {

constexpr Millis kRefreshMin{100};
constexpr Millis kRefreshMax{3'600'000};

Result<> check_word(const std::string& word) {
  const auto parsed = parse_name(word + "://name/package.Service/Method");
  if (parsed && parsed->name.scheme == word && parsed->name.source == Source::own) return {};
  return base::invalid(
      "a source of names is called '" + word +
      "': it must be a word in lower case that begins with a letter, and none "
      "of etcd, etcds, discov, consul, consuls, dns, dns+srv, http, https, grpc and "
      "grpcs");
}

Result<> check_resolver(const std::string& word, const Resolver& resolver) {
  if (!resolver.ask) return base::invalid("the resolver '" + word + "' has no function");
  if (resolver.refresh < kRefreshMin || resolver.refresh > kRefreshMax)
    return base::invalid("the refresh of the resolver '" + word + "' is not 100 ms to 1 hour");
  return {};
}

Result<> check_alias(const std::string& word, const std::string& registry) {
  const auto name = parse_registry(registry);
  if (!name) return base::invalid("the source '" + word + "': " + name.error().detail);
  if (name->name.find(kNamePlace) == std::string::npos)
    return base::invalid("the source '" + word + "' has no {} where a target's name belongs");
  return {};
}

}  // namespace

Result<> check_own(const Resolvers& resolvers, const Aliases& aliases) {
  for (const auto& [word, resolver] : resolvers) {
    BELAY_TRY(check_word(word));
    BELAY_TRY(check_resolver(word, resolver));
  }
  for (const auto& [word, registry] : aliases) {
    BELAY_TRY(check_word(word));
    BELAY_TRY(check_alias(word, registry));
    if (resolvers.find(word) != resolvers.end())
      return base::invalid("'" + word + "' is a resolver and stands for a registry, too");
  }
  return {};
}

}  // namespace belay::names
