#include "hook/grpc_response.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/number.h"
#include "base/percent.h"
#include "hook/words.h"

namespace belay::hook {
namespace {

constexpr std::size_t kMessageBytesMax = 3 * 1'024;  // 1,024 characters of which each is encoded
constexpr std::size_t kPrefixBytes = 5;
constexpr std::string_view kContentType = "application/grpc";

// The statuses that are read; gRPC has seventeen.
constexpr int kOk = 0;
constexpr int kResourceExhausted = 8;
constexpr int kFailedPrecondition = 9;
constexpr int kAborted = 10;
constexpr int kUnavailable = 14;
constexpr std::string_view kNames[] = {
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
};

std::string name_of_status(int status) {
  const auto at = static_cast<std::size_t>(status);
  return at < std::size(kNames) ? std::string(kNames[at]) : std::to_string(status);
}

// "application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8".
bool is_grpc_type(std::string_view type) {
  if (!base::starts_with_ignoring_case(type, kContentType)) return false;
  return type.size() == kContentType.size() || type[kContentType.size()] == '+' ||
         type[kContentType.size()] == ';';
}

// A message that is not encoded as it should be is taken as it is.
std::string decoded(std::string_view message) {
  if (message.size() == kMessageBytesMax) {  // it may be cut in the middle of a %XX
    const auto last = message.rfind('%');
    if (last != std::string_view::npos && last + 2 >= message.size())
      message = message.substr(0, last);
  }
  auto text = base::percent_decoded(message);
  return text ? std::move(*text) : std::string(message);
}

bool says_gateway_absent(std::string_view http_status) {
  return http_status == "502" || http_status == "503" || http_status == "504";
}

}  // namespace

void GrpcResponse::begin(std::size_t bytes_max) {
  *this = {};
  bytes_max_ = bytes_max;
}

void GrpcResponse::take_field(std::string_view name, std::string_view value, bool is_last) {
  if (name == ":status") {
    http_status_ = value.substr(0, 16);
  } else if (name == "content-type") {
    is_grpc_ = is_grpc_type(value);
  } else if (!is_last) {
    return;
  } else if (name == "grpc-status") {
    const auto number = base::parse_number<std::uint16_t>(value);
    is_status_odd_ = is_status_odd_ || status_ || !number;
    if (number) status_ = *number;
  } else if (name == "grpc-message") {
    message_ = value.substr(0, kMessageBytesMax);
  } else if (name == "grpc-retry-pushback-ms") {
    pushback_ = value.substr(0, 16);
  }
}

bool GrpcResponse::take_body(std::string_view part) {
  while (!part.empty()) {
    if (left_ != 0) {
      const auto count = std::min<std::uint64_t>(left_, part.size());
      left_ -= count;
      part.remove_prefix(static_cast<std::size_t>(count));
      continue;
    }
    if (messages_ != 0 && prefix_.empty()) return ++messages_, false;  // more than one
    const auto count = std::min(kPrefixBytes - prefix_.size(), part.size());
    prefix_ += part.substr(0, count);
    part.remove_prefix(count);
    if (prefix_.size() < kPrefixBytes) return true;
    for (std::size_t i = 1; i < kPrefixBytes; ++i)
      left_ = left_ << 8 | static_cast<unsigned char>(prefix_[i]);
    is_compressed_ = prefix_[0] != '\0';
    prefix_.clear();
    ++messages_;
    is_too_large_ = left_ > bytes_max_;
    if (is_too_large_) return false;
  }
  return true;
}

std::string GrpcResponse::flaw_of_messages() const {
  if (is_too_large_) return "its message is larger than " + std::to_string(bytes_max_) + " bytes";
  if (messages_ > 1) return "it has more than one message";
  if (messages_ == 0) return prefix_.empty() ? "it has no message" : "its message was cut";
  if (left_ != 0) return "its message was cut";
  return is_compressed_ ? "its message is compressed" : "";
}

CallEnd GrpcResponse::without_status() const {
  if (http_status_.empty())
    return {Host::End::silent, Outcome::unknown("no answer: the stream was ended")};
  if (is_grpc_ && http_status_ == "200") {
    const auto flaw = is_too_large_ || messages_ > 1 ? flaw_of_messages() : "it has no status";
    return {Host::End::answered, Outcome::unknown("the response cannot be read: " + flaw)};
  }
  const auto end = says_gateway_absent(http_status_) ? Host::End::silent : Host::End::answered;
  return {end, Outcome::unknown("HTTP " + http_status_ + ", no gRPC")};
}

Outcome GrpcResponse::read() const {
  if (is_status_odd_)
    return Outcome::unknown("the response cannot be read: it has no status that is one number");
  const auto message = decoded(message_);
  switch (*status_) {
    case kAborted:
      if (message == kOngoingWord) return Outcome::ongoing(message);
      return Outcome::failure(message);
    case kFailedPrecondition: return Outcome::ongoing(message);
    case kOk: break;
    default: {
      const auto name = name_of_status(*status_);
      return Outcome::unknown(message.empty() ? name : name + ": " + message);
    }
  }
  if (const auto flaw = flaw_of_messages(); !flaw.empty())
    return Outcome::unknown("the response cannot be read: " + flaw);
  return Outcome::success();
}

CallEnd GrpcResponse::end() const {
  if (!status_ && !is_status_odd_) return without_status();
  const bool is_absent = status_ == kUnavailable && !is_status_odd_;
  auto outcome = read();
  const bool may_ask_for_pause = status_ == kUnavailable || status_ == kResourceExhausted;
  if (may_ask_for_pause) {
    const auto pause = base::parse_number<std::int32_t>(pushback_);
    if (pause && *pause > 0) outcome.retry_after(Millis{*pause});
  }
  return {is_absent ? Host::End::silent : Host::End::answered, std::move(outcome)};
}

}  // namespace belay::hook
