#include "serve/grpc/dtm_service.h"

#include <string>
#include <utility>

#include "base/invalid.h"
#include "serve/grpc/translate.h"

namespace belay::door {
namespace {

using protocol::ApiResult;
using protocol::DtmCall;
using Reactor = grpc::ServerUnaryReactor;

constexpr std::chrono::milliseconds kLookForUnread{200};

std::string metadata_of(const grpc::CallbackServerContext& context, const char* name) {
  const auto& all = context.client_metadata();
  const auto found = all.find(name);
  if (found == all.end()) return {};
  return std::string(found->second.data(), found->second.size());
}

Result<DtmCall> read_message(const protocol::DtmMethod& method, const grpc::ByteBuffer& message,
                             const std::string& trace_parent) {
  grpc::Slice slice;
  if (message.Length() != 0 && !message.DumpToSingleSlice(&slice).ok())
    return base::invalid("the message cannot be unpacked");
  auto call = read_call(method, {reinterpret_cast<const char*>(slice.begin()), slice.size()});
  if (!call) return call;
  if (auto* transaction = std::get_if<protocol::TransactionRequest>(&*call))
    transaction->trace_parent = trace_parent;
  return call;
}

}  // namespace

// A client that does not read its answers must not fill the memory. One looks at a time, and not
// all the time.
void DtmService::cut_off_unread() {
  const auto now = std::chrono::steady_clock::now();
  auto last = looked_.load();
  if (now - last < kLookForUnread || !looked_.compare_exchange_strong(last, now)) return;
  for (const auto& exchange : open_->all()) exchange->cut_off_if_unread();
}

Reactor* DtmService::take(const char* name, Context& context, const Bytes& message, Bytes* reply) {
  const auto& method = *protocol::find_method(name);
  if (load_->has_many_unread()) cut_off_unread();
  const auto exchange = std::make_shared<Exchange>(load_, open_, context, message.Length(), reply);
  if (!exchange->begin(exchange)) {
    exchange->refuse("too many requests are waiting; try again later");
    if (load_->has_too_many()) exchange->cut_off();
    return exchange.get();
  }
  const auto authorization = metadata_of(context, "authorization");
  handler_({.method = method,
            .authorization = authorization,
            .peer = address_of(context.peer()),
            .bytes = message.Length(),
            .read =
                [&method, message, trace = metadata_of(context, "traceparent")] {
                  return read_message(method, message, trace);
                },
            .done = [exchange, &method](
                        const ApiResult& result) { exchange->tell(answer_of(method, result)); }});
  return exchange.get();
}

Reactor* DtmService::NewGid(Context* context, const Bytes* message, Bytes* reply) {
  return take("NewGid", *context, *message, reply);
}
Reactor* DtmService::Submit(Context* context, const Bytes* message, Bytes* reply) {
  return take("Submit", *context, *message, reply);
}
Reactor* DtmService::Prepare(Context* context, const Bytes* message, Bytes* reply) {
  return take("Prepare", *context, *message, reply);
}
Reactor* DtmService::Abort(Context* context, const Bytes* message, Bytes* reply) {
  return take("Abort", *context, *message, reply);
}
Reactor* DtmService::RegisterBranch(Context* context, const Bytes* message, Bytes* reply) {
  return take("RegisterBranch", *context, *message, reply);
}
Reactor* DtmService::PrepareWorkflow(Context* context, const Bytes* message, Bytes* reply) {
  return take("PrepareWorkflow", *context, *message, reply);
}
Reactor* DtmService::Subscribe(Context* context, const Bytes* message, Bytes* reply) {
  return take("Subscribe", *context, *message, reply);
}
Reactor* DtmService::Unsubscribe(Context* context, const Bytes* message, Bytes* reply) {
  return take("Unsubscribe", *context, *message, reply);
}
Reactor* DtmService::DeleteTopic(Context* context, const Bytes* message, Bytes* reply) {
  return take("DeleteTopic", *context, *message, reply);
}

}  // namespace belay::door
