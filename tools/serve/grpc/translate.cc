#include "serve/grpc/translate.h"

#include <google/protobuf/empty.pb.h>

#include <limits>
#include <utility>

#include "base/invalid.h"
#include "base/percent.h"
#include "dtmgimp.pb.h"
#include "serve/grpc/wire.h"
#include "serve/protocol/parse.h"

namespace belay::door {
namespace {

using base::invalid;
using google::protobuf::Message;
using protocol::DtmCall;
using Takes = protocol::DtmMethod::Takes;
using TextMap = google::protobuf::Map<std::string, std::string>;

constexpr const char* kProtocol = "grpc";

Result<> parse(std::string_view bytes, Message& into) {
  const auto& type = *into.GetDescriptor();
  const auto fields = count_fields(bytes, type);
  if (fields && *fields > kFieldsMax) {
    return invalid("the message has " + std::to_string(*fields) + " fields, the limit is " +
                   std::to_string(kFieldsMax));
  }
  const bool fits = bytes.size() <= std::size_t{std::numeric_limits<int>::max()};
  if (fields && fits && into.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return {};
  return invalid("the message is no " + type.name() + ", or a text in it is no UTF-8");
}

std::vector<Header> headers_of(const TextMap& map) {
  std::vector<Header> all;
  for (const auto& [name, value] : map) all.push_back({name, value});
  return all;
}

// An empty text and `null` are the same: dtm's clients write the latter for a transaction that has
// no steps of its own.
Result<> read_steps(const std::string& text, protocol::TransactionRequest& request) {
  if (text.empty()) return {};
  const auto steps = protocol::parse_json(text);
  if (!steps) return invalid("Steps: " + steps.error().detail);
  if (steps->is_null()) return {};
  const auto read = protocol::read_steps(*steps, request);
  return read ? read : invalid("Steps: " + read.error().detail);
}

Result<DtmCall> transaction_of(std::string_view bytes) {
  dtmgimp::DtmRequest message;
  BELAY_TRY(parse(bytes, message));
  protocol::TransactionRequest request;
  BELAY_TRY(read_steps(message.steps(), request));
  request.payloads.clear();  // those of steps are HTTP's
  for (auto& payload : *message.mutable_binpayloads())
    request.payloads.push_back(std::move(payload));
  request.gid = message.gid();
  request.trans_type = message.transtype();
  request.protocol = kProtocol;
  request.custom_data = message.customeddata();
  request.query_prepared = message.queryprepared();
  request.rollback_reason = message.rollbackreason();
  request.req_extra = headers_of(message.reqextra());
  const auto& options = message.transoptions();
  request.wait_result = options.waitresult();
  request.timeout_to_fail = options.timeouttofail();
  request.retry_interval = options.retryinterval();
  request.request_timeout = options.requesttimeout();
  request.retry_limit = options.retrylimit();
  request.branch_headers = headers_of(options.branchheaders());
  BELAY_TRY(protocol::check_numbers(request));
  return DtmCall(std::move(request));
}

std::string value_of(const TextMap& map, const char* name) {
  const auto found = map.find(name);
  return found == map.end() ? std::string() : found->second;
}

Result<DtmCall> branch_of(std::string_view bytes) {
  dtmgimp::DtmBranchRequest message;
  BELAY_TRY(parse(bytes, message));
  const auto& data = message.data();
  return DtmCall(protocol::BranchRequest{.gid = message.gid(),
                                         .branch_id = message.branchid(),
                                         .trans_type = message.transtype(),
                                         .data = std::move(*message.mutable_busipayload()),
                                         .confirm = value_of(data, "confirm"),
                                         .cancel = value_of(data, "cancel"),
                                         .url = value_of(data, "url"),
                                         .op = value_of(data, "op"),
                                         .status = value_of(data, "status"),
                                         .protocol = kProtocol});
}

Result<DtmCall> topic_of(std::string_view bytes) {
  dtmgimp::DtmTopicRequest message;
  BELAY_TRY(parse(bytes, message));
  return DtmCall(
      protocol::TopicRequest{message.topic(), message.url(), message.remark(), kProtocol});
}

}  // namespace

Result<DtmCall> read_call(const protocol::DtmMethod& method, std::string_view message) {
  switch (method.takes) {
    case Takes::transaction: return transaction_of(message);
    case Takes::branch: return branch_of(message);
    case Takes::topic: return topic_of(message);
    case Takes::nothing: break;
  }
  google::protobuf::Empty empty;
  BELAY_TRY(parse(message, empty));
  return DtmCall();
}

std::string address_of(std::string_view peer) {
  const auto scheme = peer.find(':');
  const auto port = peer.rfind(':');
  if (scheme == peer.npos || port <= scheme) return std::string(peer);
  const auto host = peer.substr(scheme + 1, port - scheme - 1);
  const auto plain = base::percent_decoded(host).value_or(std::string(host));
  const bool six = plain.size() > 2 && plain.front() == '[' && plain.back() == ']';
  return six ? plain.substr(1, plain.size() - 2) : plain;
}

}  // namespace belay::door
