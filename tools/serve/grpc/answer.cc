#include "serve/grpc/answer.h"

#include <string_view>
#include <utility>

#include "base/base64.h"
#include "base/utf8.h"
#include "dtmgimp.pb.h"
#include "retry.pb.h"

namespace belay::door {
namespace {

using Kind = protocol::ApiResult::Kind;
using protocol::Json;

constexpr std::string_view kOngoing = "ONGOING";
constexpr int kRetryAfterSeconds = 1;

grpc::StatusCode code_of(Kind kind) {
  switch (kind) {
    case Kind::done:
    case Kind::value: return grpc::StatusCode::OK;
    case Kind::failure: return grpc::StatusCode::ABORTED;
    case Kind::ongoing: return grpc::StatusCode::FAILED_PRECONDITION;
    case Kind::invalid: return grpc::StatusCode::INVALID_ARGUMENT;
    case Kind::overload: return grpc::StatusCode::UNAVAILABLE;
    case Kind::stranger: return grpc::StatusCode::UNAUTHENTICATED;
    case Kind::forbidden: return grpc::StatusCode::PERMISSION_DENIED;
    case Kind::error: break;
  }
  return grpc::StatusCode::UNKNOWN;
}

// The end of a text stays: it says FAILURE or ONGOING.
std::string shortened(std::string text) {
  if (text.size() <= kStatusTextMax) return text;
  constexpr std::size_t kEnd = 16;
  auto cut = kStatusTextMax - kEnd - 3;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80) --cut;
  auto end = text.size() - kEnd;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) ++end;
  return text.substr(0, cut) + "..." + text.substr(end);
}

std::string text_of_status(const protocol::ApiResult& result) {
  auto text = result.text;
  if (result.kind == Kind::ongoing && !text.ends_with(kOngoing)) text += " ONGOING";
  return shortened(base::to_text(text));
}

// For the metadata `grpc-status-details-bin`, which libraries of clients know.
std::string retry_details(int code, const std::string& text) {
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(kRetryAfterSeconds);
  google::rpc::Status status;
  status.set_code(code);
  status.set_message(text);
  status.add_details()->PackFrom(retry);
  return status.SerializeAsString();
}

std::string text_in(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string()
             ? base::to_text(found->get_ref<const std::string&>())
             : std::string();
}

std::string gid_reply(const Json& value) {
  dtmgimp::DtmGidReply reply;
  reply.set_gid(text_in(value, "gid"));
  return reply.SerializeAsString();
}

std::string progresses_reply(const Json& value) {
  dtmgimp::DtmProgressesReply reply;
  const auto& stored = value.at("transaction");
  auto& transaction = *reply.mutable_transaction();
  transaction.set_gid(text_in(stored, "gid"));
  transaction.set_status(text_in(stored, "status"));
  transaction.set_rollbackreason(text_in(stored, "rollback_reason"));
  transaction.set_result(text_in(stored, "result"));
  for (const auto& one : value.at("progresses")) {
    auto& progress = *reply.add_progresses();
    progress.set_status(text_in(one, "status"));
    progress.set_bindata(base::from_base64(text_in(one, "bin_data")).value_or(std::string()));
    progress.set_branchid(text_in(one, "branch_id"));
    progress.set_op(text_in(one, "op"));
  }
  return reply.SerializeAsString();
}

}  // namespace

grpc::Status status_of(const protocol::ApiResult& result) {
  const auto code = code_of(result.kind);
  if (code == grpc::StatusCode::OK) return grpc::Status();
  const auto text = text_of_status(result);
  if (result.kind != Kind::overload) return {code, text};
  return {code, text, retry_details(code, text)};
}

Answer answer_of(const protocol::DtmMethod& method, const protocol::ApiResult& result) {
  Answer answer{status_of(result)};
  if (result.kind != Kind::value) return answer;
  answer.message = method.takes == protocol::DtmMethod::Takes::nothing
                       ? gid_reply(result.value)
                       : progresses_reply(result.value);
  return answer;
}

}  // namespace belay::door
