#include "api/handlers.h"

#include <exception>
#include <optional>
#include <utility>

#include "api/channel.h"
#include "api/owned_call.h"
#include "base/enter.h"
#include "belay/check.h"
#include "core/bounds.h"

namespace belay::api {
namespace {

// Every call of a host's handler goes through this function, which turns an exception into an
// outcome.
Outcome enter(const HandlerEntry& entry, const Call& call) noexcept {
  try {
    return entry.handler(call, entry.user);
  } catch (const std::exception& thrown) {
    return Outcome::unknown(std::string("the handler threw: ") + thrown.what());
  } catch (...) {
    return Outcome::unknown("the handler threw");
  }
}

}  // namespace

Result<> Handlers::reserve(std::string_view name, const HandlerEntry& entry) {
  if (entry.handler == nullptr && entry.async_handler == nullptr) {
    return Error{ErrorCode::invalid_argument, "the handler is a null pointer"};
  }
  if (name.empty() || name.size() > core::kTargetBytesMax) {
    return Error{ErrorCode::invalid_argument,
                 "a handler's name has " + std::to_string(name.size()) +
                     " bytes, it must have 1 to " + std::to_string(core::kTargetBytesMax)};
  }
  if (entry.kind == HandlerEntry::Kind::blocking) BELAY_TRY(blocking_.have_one());
  if (!names_.emplace(name).second) {
    return Error{ErrorCode::invalid_argument,
                 "a handler named '" + std::string(name) + "' is registered already"};
  }
  return {};
}

const HandlerEntry& Handlers::entry_of(std::string_view target) const {
  const auto found = entries_.find(target);
  BELAY_CHECK(found != entries_.end());
  return found->second;
}

ports::Caller::Kind Handlers::kind_of(std::string_view target) {
  const auto found = entries_.find(target);
  if (found == entries_.end()) return Kind::unregistered;
  switch (found->second.kind) {
    case HandlerEntry::Kind::immediate: return Kind::immediate;
    case HandlerEntry::Kind::blocking: return Kind::blocking;
    case HandlerEntry::Kind::async: break;
  }
  return Kind::deferred;
}

ports::Lane Handlers::lane_of(std::string_view target) {
  return entry_of(target).kind == HandlerEntry::Kind::blocking ? kBlocking : kAsync;
}

Outcome Handlers::call_now(const Call& call) { return enter(entry_of(call.target), call); }

void Handlers::call_later(ports::CallId id, const Call& call) {
  const auto& entry = entry_of(call.target);
  if (entry.kind == HandlerEntry::Kind::async) {
    const auto channel = std::make_shared<Reply::Channel>(id, call, mailbox_);
    // If the handler throws before it has stored its Reply, the Reply is destroyed and answers
    // `unknown`.
    base::enter(log_, "an asynchronous handler",
                [&] { entry.async_handler(channel->call(), Reply(channel), entry.user); });
    return;
  }
  struct Job {
    Job(const Call& c) : call(c) {}
    OwnedCall call;
    std::optional<Outcome> outcome;
  };
  const auto job = std::make_shared<Job>(call);
  blocking_.run(
      job->call.bytes(), [job, entry] { job->outcome = enter(entry, job->call.call()); },
      [job, id, mailbox = mailbox_] { mailbox->put(id, std::move(*job->outcome)); });
}

}  // namespace belay::api
