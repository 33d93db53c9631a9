// A call that owns its bytes: it may outlive the transaction in memory, since an answer may come
// too late.
#pragma once

#include <string>
#include <vector>

#include "belay/call.h"

namespace belay::api {

class OwnedCall {
 public:
  explicit OwnedCall(const Call& call)
      : headers_(call.headers.begin(), call.headers.end()), call_(call) {
    bytes_.reserve(call.gid.size() + call.branch_id.size() + call.target.size() +
                   call.payload.size() + call.custom_data.size() + call.trace_parent.size() +
                   call.workflow.size());
    for (auto* view : {&call_.gid, &call_.branch_id, &call_.target, &call_.payload,
                       &call_.custom_data, &call_.trace_parent, &call_.workflow}) {
      const auto at = bytes_.size();
      bytes_.append(*view);
      *view = std::string_view(bytes_.data() + at, bytes_.size() - at);
    }
    call_.headers = headers_;
  }
  OwnedCall(const OwnedCall&) = delete;
  OwnedCall& operator=(const OwnedCall&) = delete;

  const Call& call() const { return call_; }
  std::size_t bytes() const {
    auto sum = bytes_.size();
    for (const auto& header : headers_) sum += header.name.size() + header.value.size();
    return sum;
  }

 private:
  std::string bytes_;
  std::vector<Header> headers_;
  Call call_;
};

}  // namespace belay::api
