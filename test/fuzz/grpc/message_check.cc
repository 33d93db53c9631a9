#include "fuzz/grpc/message_check.h"

#include <google/protobuf/stubs/logging.h>

#include <array>
#include <variant>

#include "serve/grpc/answer.h"
#include "serve/grpc/translate.h"
#include "serve/protocol/describe.h"

namespace belay::test {
namespace {

constexpr std::array kMethods = {"NewGid",    "Submit",         "Prepare",
                                 "Abort",     "RegisterBranch", "PrepareWorkflow",
                                 "Subscribe", "Unsubscribe",    "DeleteTopic"};

std::string check_error(const Error& error) {
  if (error.code != ErrorCode::invalid_argument) return "refused, but not as a broken request";
  if (error.detail.empty()) return "refused without a word";
  const auto status = door::status_of(protocol::ApiResult::of(error));
  if (status.error_code() != grpc::StatusCode::INVALID_ARGUMENT) return "refused by another status";
  if (status.error_message().size() > door::kStatusTextMax) return "too long a text";
  return {};
}

std::string check_target(std::string_view url) {
  const auto target = protocol::target_of("url", url, "grpc", {});
  if (!target) return check_error(target.error());
  const bool is_called = target->empty() || target->find("://") != std::string::npos;
  return is_called ? "" : "a target that nobody calls";
}

}  // namespace

std::string check_message(std::string_view input, bool& was_read) {
  static const google::protobuf::LogSilencer kSilence;
  if (input.empty()) return {};
  const auto index = static_cast<unsigned char>(input.front()) % kMethods.size();
  const auto& method = *protocol::find_method(kMethods[index]);
  const auto call = door::read_call(method, input.substr(1));
  if (!call) return check_error(call.error());
  was_read = true;
  if (call->index() != static_cast<std::size_t>(method.takes)) return "a call of another kind";
  if (const auto* request = std::get_if<protocol::TransactionRequest>(&*call)) {
    const auto described = protocol::describe(*request, {});
    return described ? "" : check_error(described.error());
  }
  if (const auto* branch = std::get_if<protocol::BranchRequest>(&*call)) {
    for (const auto* url : {&branch->confirm, &branch->cancel, &branch->url}) {
      if (auto wrong = check_target(*url); !wrong.empty()) return wrong;
    }
  }
  const auto* topic = std::get_if<protocol::TopicRequest>(&*call);
  return topic == nullptr ? "" : check_target(topic->url);
}

}  // namespace belay::test
