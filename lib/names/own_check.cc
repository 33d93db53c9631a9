#include "names/own_check.h"

#include "base/invalid.h"
#include "names/name.h"

namespace belay::names {
namespace {

constexpr Millis kRefreshMin{100};
constexpr Millis kRefreshMax{3'600'000};

}  // namespace

Result<> check_resolver(const std::string& word, const Resolver& resolver) {
  const auto parsed = parse_name(word + "://name/package.Service/Method");
  if (!parsed || parsed->name.scheme != word || parsed->name.source != Source::own) {
    return base::invalid("a resolver is called '" + word +
                         "': it must be a word in lower case that begins with a letter, and none "
                         "of etcd, discov, consul, dns, dns+srv, http, https, grpc and grpcs");
  }
  if (!resolver.ask) return base::invalid("the resolver '" + word + "' has no function");
  if (resolver.refresh < kRefreshMin || resolver.refresh > kRefreshMax)
    return base::invalid("the refresh of the resolver '" + word + "' is not 100 ms to 1 hour");
  return {};
}

}  // namespace belay::names
