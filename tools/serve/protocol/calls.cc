#include "serve/protocol/calls.h"

#include <array>
#include <utility>

#include "serve/protocol/handlers.h"

namespace belay::protocol {
namespace {

using Takes = DtmMethod::Takes;

template <class Request, void (*Handler)(const ContextPtr&, const Request&, Done)>
void call_with(const ContextPtr& context, const DtmCall& call, const Sender&, Done done) {
  Handler(context, std::get<Request>(call), std::move(done));
}

template <void (*Handler)(const ContextPtr&, const TransactionRequest&, Done)>
constexpr auto kTransaction = call_with<TransactionRequest, Handler>;

template <void (*Handler)(const ContextPtr&, const TopicRequest&, Done)>
void change_topic(const ContextPtr& context, const DtmCall& call, const Sender& sender, Done done) {
  const auto& request = std::get<TopicRequest>(call);
  Handler(context, request, telling(context, sender, {.topic = request.topic}, std::move(done)));
}

void delete_whole_topic(const ContextPtr& context, const TopicRequest& request, Done done) {
  delete_topic(context, request.topic, std::move(done));
}

constexpr std::array<DtmMethod, 9> kDtmMethods = {{
    {"NewGid", "grpc-newgid", Takes::nothing, Role::submit, true,
     [](const ContextPtr& context, const DtmCall&, const Sender&, Done done) {
       new_gid(context, std::move(done));
     }},
    {"Submit", "grpc-submit", Takes::transaction, Role::submit, false, kTransaction<submit>},
    {"Prepare", "grpc-prepare", Takes::transaction, Role::submit, false, kTransaction<prepare>},
    {"Abort", "grpc-abort", Takes::transaction, Role::submit, false, kTransaction<abort>},
    {"RegisterBranch", "grpc-registerbranch", Takes::branch, Role::submit, false,
     call_with<BranchRequest, register_branch>},
    {"PrepareWorkflow", "grpc-prepareworkflow", Takes::transaction, Role::submit, false,
     kTransaction<prepare_workflow>},
    {"Subscribe", "grpc-subscribe", Takes::topic, Role::admin, false, change_topic<subscribe>},
    {"Unsubscribe", "grpc-unsubscribe", Takes::topic, Role::admin, false,
     change_topic<unsubscribe>},
    {"DeleteTopic", "grpc-topic", Takes::topic, Role::admin, false,
     change_topic<delete_whole_topic>},
}};

}  // namespace

const DtmMethod* find_method(std::string_view name) {
  for (const auto& one : kDtmMethods) {
    if (one.name == name) return &one;
  }
  return nullptr;
}

Done telling(const ContextPtr& context, Sender sender, Subject subject, Done done) {
  return [context, sender = std::move(sender), subject = std::move(subject),
          done = std::move(done)](ApiResult answer) {
    const auto& tell = context->options.on_admin_change;
    if (tell && answer.is_success())
      tell({sender.token, sender.peer, {}, sender.call, subject.gid, subject.topic, {}});
    done(std::move(answer));
  };
}

}  // namespace belay::protocol
