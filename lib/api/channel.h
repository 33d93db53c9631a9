// The engine's end of a Reply.
#pragma once

#include <memory>
#include <utility>

#include "api/mailbox.h"
#include "api/owned_call.h"
#include "belay/call.h"

namespace belay {

class Reply::Channel {
 public:
  Channel(ports::CallId id, const Call& call, std::shared_ptr<api::Mailbox> mailbox)
      : id_(id), call_(call), mailbox_(std::move(mailbox)) {}

  const Call& call() const { return call_.call(); }
  void answer(Outcome outcome) { mailbox_->put(id_, std::move(outcome)); }

 private:
  ports::CallId id_;
  api::OwnedCall call_;
  std::shared_ptr<api::Mailbox> mailbox_;
};

}  // namespace belay
