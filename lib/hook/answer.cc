#include "hook/answer.h"

#include <algorithm>

#include "hook/json.h"

namespace belay::hook {
namespace {

constexpr std::string_view kOngoing = "ONGOING";
constexpr std::string_view kFailure = "FAILURE";
constexpr std::size_t kTailBytes = 6;  // one less than each word has
static_assert(kOngoing.size() == kTailBytes + 1 && kFailure.size() == kTailBytes + 1);

constexpr std::size_t kStartBytes = 1024;

constexpr std::string_view kJsonRpcFailure = "-32901";
constexpr std::string_view kJsonRpcOngoing = "-32902";

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
  return text.substr(0, text.find_last_not_of(kSpace) + 1);
}

// The last member of that name; null is none.
std::string_view member(const std::vector<JsonMember>& members, std::string_view name) {
  std::string_view value;
  for (const auto& one : members) {
    if (one.name == name) value = one.value;
  }
  return value == "null" ? std::string_view() : value;
}

}  // namespace

void Answer::begin(std::size_t bytes_max, bool is_json_rpc) {
  bytes_max_ = bytes_max;
  is_json_rpc_ = is_json_rpc;
  bytes_ = 0;
  says_ongoing_ = says_failure_ = false;
  kept_.clear();
  tail_.clear();
}

bool Answer::take(std::string_view part) {
  bytes_ += part.size();
  if (too_large()) return false;
  const auto keep = is_json_rpc_ ? bytes_max_ : kStartBytes;
  if (kept_.size() < keep) kept_ += part.substr(0, keep - kept_.size());
  look_for_words(part);
  return true;
}

void Answer::look_for_words(std::string_view part) {
  const auto look_in = [this](std::string_view text) {
    says_ongoing_ = says_ongoing_ || text.find(kOngoing) != std::string_view::npos;
    says_failure_ = says_failure_ || text.find(kFailure) != std::string_view::npos;
  };
  look_in(part);
  if (!tail_.empty()) {
    tail_ += part.substr(0, kTailBytes);
    look_in(tail_);
  }
  if (part.size() >= kTailBytes) {
    tail_ = part.substr(part.size() - kTailBytes);
  } else {
    // The seam took all of a short part in, if there was one.
    if (bytes_ == part.size()) tail_ = part;
    if (tail_.size() > kTailBytes) tail_.erase(0, tail_.size() - kTailBytes);
  }
}

std::string_view Answer::start() const {
  return trimmed(std::string_view(kept_).substr(0, kStartBytes));
}

Outcome Answer::outcome(long status) const {
  if (too_large()) {
    return Outcome::unknown("the response is larger than " + std::to_string(bytes_max_) + " bytes");
  }
  if (status == 425 || says_ongoing_) return Outcome::ongoing(std::string(start()));
  if (status == 409 || says_failure_) return Outcome::failure(std::string(start()));
  if (status == 200) return is_json_rpc_ ? json_rpc_outcome() : Outcome::success();
  auto reason = "HTTP " + std::to_string(status);
  if (!start().empty()) reason.append(": ").append(start());
  return Outcome::unknown(std::move(reason));
}

Outcome Answer::json_rpc_outcome() const {
  const auto members = json_members(kept_);
  if (!members) return Outcome::unknown("the response is no JSON-RPC: " + std::string(start()));
  const auto error = member(*members, "error");
  if (error.empty()) return Outcome::success();
  const auto parts = json_members(error);
  const auto code = parts ? member(*parts, "code") : std::string_view();
  const auto reason = std::string(error.substr(0, kStartBytes));
  if (code == kJsonRpcFailure) return Outcome::failure(reason);
  if (code == kJsonRpcOngoing) return Outcome::ongoing(reason);
  return Outcome::unknown("JSON-RPC error: " + reason);
}

}  // namespace belay::hook
