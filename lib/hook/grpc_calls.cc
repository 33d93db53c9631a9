#include "hook/grpc_calls.h"

#include <uv.h>

#include <string>
#include <utility>

#include "hook/address.h"
#include "hook/grpc_request.h"
#include "hook/grpc_response.h"
#include "hook/spare.h"

namespace belay::hook {
namespace {

constexpr std::size_t kSpareCallsMax = 1'024;

h2::ClientOptions client_options(const HookOptions& options) {
  h2::ClientOptions made;
  made.tls = {options.ca_file, options.client_cert_file, options.client_key_file};
  made.refuses = [refuse = options.refuse_link_local](const sockaddr& address) {
    return refuse && is_link_local(address);
  };
  made.hosts_max = options.hosts_max;
  return made;
}

}  // namespace

// One call in flight. They are kept and reused.
class GrpcCalls::One final : public h2::Request {
 public:
  explicit One(GrpcCalls& calls) : calls_(calls) {}

  Result<> make(const Call& call, const Target& target, std::uint64_t span,
                std::size_t response_bytes_max) {
    BELAY_TRY(request_.make(call, target, span, head));
    GrpcRequest::append_message(body, call);
    response_.begin(response_bytes_max);
    timeout_ = call.timeout;
    return {};
  }
  void rest() { clear_for_next(body); }

  Placed placed;
  std::size_t index = 0;  // among the calls in flight

 private:
  void take_field(std::string_view name, std::string_view value, bool is_last) override {
    response_.take_field(name, value, is_last);
  }
  bool take_body(std::string_view part) override { return response_.take_body(part); }
  void done(h2::End end) override { calls_.finish(*this, read(end)); }

  CallEnd read(const h2::End& end) const {
    using How = h2::End::How;
    const std::string what = end.is_sent ? "no answer" : "no connection";
    const auto host = end.is_sent ? Host::End::silent : Host::End::unreached;
    switch (end.how) {
      case How::complete: return response_.end();
      case How::timed_out:
        return {host,
                Outcome::unknown(what + " within " + std::to_string(timeout_.count()) + " ms")};
      case How::forbidden: return {Host::End::answered, Outcome::unknown(end.why)};
      case How::shortage:
        return {Host::End::not_made, Outcome::unknown("this system lacks resources: " + end.why)};
      case How::reset:
      case How::lost:
      case How::unreached: break;
    }
    return {host, Outcome::unknown(what + ": " + end.why)};
  }

  GrpcCalls& calls_;
  GrpcRequest request_;
  GrpcResponse response_;
  Millis timeout_{};
};

GrpcCalls::GrpcCalls(const HookOptions& options)
    : options_(options), client_(client_options(options)) {}
GrpcCalls::~GrpcCalls() = default;

Result<> GrpcCalls::start(uv_loop_s* loop, Ended ended) {
  loop_ = loop;
  ended_ = std::move(ended);
  client_.start(loop);
  return {};
}

Result<> GrpcCalls::begin(ports::CallId id, const Call& call, const Target& target,
                          HostEntry& entry, std::uint64_t span) {
  if (spare_.empty()) spare_.push_back(std::make_unique<One>(*this));
  BELAY_TRY(spare_.back()->make(call, target, span, options_.response_bytes_max));
  auto one = std::move(spare_.back());
  spare_.pop_back();
  one->placed = {id, entry.lane, entry.host.begin(uv_now(loop_))};
  one->index = in_flight_.size();
  client_.call(*one, {target.host, target.name, target.port, target.tls}, call.timeout);
  in_flight_.push_back(std::move(one));
  return {};
}

void GrpcCalls::finish(One& one, const CallEnd& end) {
  auto done = std::move(in_flight_[one.index]);
  if (done->index + 1 != in_flight_.size()) {
    in_flight_[done->index] = std::move(in_flight_.back());
    in_flight_[done->index]->index = done->index;
  }
  in_flight_.pop_back();
  const auto placed = done->placed;
  if (spare_.size() < kSpareCallsMax) {
    done->rest();
    spare_.push_back(std::move(done));
  }
  ended_(placed, end);
}

void GrpcCalls::close(std::function<void()> closed) {
  client_.close([this, closed = std::move(closed)] {
    in_flight_.clear();
    spare_.clear();
    closed();
  });
}

}  // namespace belay::hook
