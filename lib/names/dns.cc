// Watches a name in DNS by asking for it again when its TTL is over. The targets of SRV records are
// endpoints as they are: whoever calls them looks their addresses up.
#include <algorithm>
#include <optional>
#include <utility>

#include "names/backoff.h"
#include "names/dns_question.h"
#include "names/resolver.h"

namespace belay::names {
namespace {

constexpr std::uint32_t kTtlSecondsMin = 1;
constexpr std::uint32_t kTtlSecondsMax = 300;
constexpr std::uint32_t kNothingSeconds = 5;  // a name that does not exist may soon

class DnsWatch final : public Watch {
 public:
  DnsWatch(const Site& site, const Name& name, Listener listener)
      : site_(site), name_(name), listener_(std::move(listener)), next_(site.timers) {
    next_.set(0, [this] { ask(); });
  }

 private:
  void ask() {
    asking_.emplace(site_, name_, [this](DnsAnswer answer) {
      asking_.reset();
      on_answer(std::move(answer));
    });
  }
  void on_answer(DnsAnswer answer) {
    if (!answer.error.empty()) {
      next_.set(backoff_.next(), [this] { ask(); });
      return listener_.failed(std::move(answer.error));
    }
    backoff_.reset();
    const auto ttl = std::clamp(answer.ttl_s, kTtlSecondsMin, kTtlSecondsMax);
    const auto wait_s = answer.endpoints.empty() ? kNothingSeconds : ttl;
    next_.set(std::uint64_t{wait_s} * 1000, [this] { ask(); });
    listener_.found(std::move(answer.endpoints));
  }

  const Site site_;
  const Name name_;
  const Listener listener_;
  Backoff backoff_;
  std::optional<DnsQuestion> asking_;
  Alarm next_;
};

}  // namespace

std::unique_ptr<Watch> watch_dns(const Site& site, const Name& name, Listener listener) {
  return std::make_unique<DnsWatch>(site, name, std::move(listener));
}

}  // namespace belay::names
