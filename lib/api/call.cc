#include "belay/call.h"

#include <utility>

#include "api/channel.h"

namespace belay {

std::string_view Call::header(std::string_view name) const noexcept {
  for (auto header = headers.rbegin(); header != headers.rend(); ++header) {
    if (header->name == name) return header->value;
  }
  return {};
}

Reply::Reply(std::shared_ptr<Channel> channel) noexcept : channel_(std::move(channel)) {}
Reply::Reply(Reply&&) noexcept = default;

Reply& Reply::operator=(Reply&& other) noexcept {
  if (this != &other) {
    complete(Outcome::unknown("the reply was dropped without an answer"));
    channel_ = std::move(other.channel_);
  }
  return *this;
}

Reply::~Reply() { complete(Outcome::unknown("the reply was dropped without an answer")); }

void Reply::complete(Outcome outcome) noexcept {
  if (const auto channel = std::exchange(channel_, nullptr)) channel->answer(std::move(outcome));
}

}  // namespace belay
