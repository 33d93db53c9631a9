#include "serve/protocol/admin/who.h"

#include <fmt/format.h>

#include <utility>

#include "base/invalid.h"
#include "view/text.h"

namespace belay::protocol::admin {
namespace {

constexpr std::string_view kAskedBy = "X-Belay-Asked-By";
constexpr std::size_t kClaimBytesMax = 200;

}  // namespace

Result<Asker> asker_of(const Turn& turn) {
  Asker asker{std::string(turn.request.header(kAskedBy)), {}};
  if (asker.claim.size() > kClaimBytesMax)
    return base::invalid(fmt::format("the header {} has {} bytes, the limit is {}", kAskedBy,
                                     asker.claim.size(), kClaimBytesMax));
  if (tool::printable(asker.claim) != asker.claim)
    return base::invalid(fmt::format("the header {} is no printable text", kAskedBy));
  asker.text = turn.caller.name.empty() ? "anybody" : turn.caller.name;
  if (!turn.request.peer.empty()) asker.text += " via " + turn.request.peer;
  if (!asker.claim.empty()) asker.text += fmt::format(", says \"{}\"", asker.claim);
  return asker;
}

Audit::Audit(const Turn& turn, Asker asker, Subject subject)
    : context_(turn.context),
      caller_(turn.caller.name),
      peer_(turn.request.peer),
      call_(turn.route.name),
      asker_(std::move(asker)),
      subject_(std::move(subject)) {}

void Audit::tell() const {
  const auto& tell = context_->options.on_admin_change;
  if (tell)
    tell({caller_, peer_, asker_.claim, call_, subject_.gid, subject_.topic, subject_.target});
}

}  // namespace belay::protocol::admin
