#include "serve/protocol/reason.h"

#include <charconv>
#include <cstdint>
#include <optional>

#include "base/ascii.h"
#include "serve/protocol/api_result.h"

namespace belay::protocol {
namespace {

constexpr std::string_view kRpcPrefix = "jsonrpc+";
constexpr std::string_view kNoAnswer = "no answer after ";
constexpr std::string_view kTimeout = "timeout after ";

// The parts of "branch 02 (TARGET): WHAT".
struct BranchReason {
  std::string_view target;
  std::string_view what;
};

std::optional<BranchReason> branch_reason(std::string_view reason) {
  if (!reason.starts_with("branch ")) return std::nullopt;
  const auto open = reason.find(" (");
  if (open == std::string_view::npos) return std::nullopt;
  const auto close = reason.find("): ", open);
  if (close != std::string_view::npos)
    return BranchReason{reason.substr(open + 2, close - open - 2), reason.substr(close + 3)};
  if (!reason.ends_with(")")) return std::nullopt;
  return BranchReason{reason.substr(open + 2, reason.size() - open - 3), {}};
}

std::optional<std::uint64_t> number_after(std::string_view text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return std::nullopt;
  text.remove_prefix(prefix.size());
  std::uint64_t number = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc())
    return std::nullopt;
  return number;
}

}  // namespace

std::string_view url_of(std::string_view target) {
  for (const auto prefix : {kRpcPrefix, kDirectScheme}) {
    if (target.starts_with(prefix)) target.remove_prefix(prefix.size());
  }
  return target;
}

std::string_view protocol_of_target(std::string_view target) {
  if (target.starts_with(kRpcPrefix)) return "json-rpc";
  for (const auto scheme : {kDirectScheme, std::string_view("grpcs://")}) {
    if (base::starts_with_ignoring_case(target, scheme)) return "grpc";
  }
  return kPlainProtocol;
}

std::string client_reason(std::string_view reason) {
  if (const auto millis = number_after(reason, kTimeout))
    return "Timeout after " + std::to_string(*millis / 1'000) + " seconds";
  const auto branch = branch_reason(reason);
  if (!branch) return std::string(reason);
  if (const auto calls = number_after(branch->what, kNoAnswer)) {
    return "RetryCount is greater than RetryLimit, RetryLimit: " +
           std::to_string(*calls == 0 ? 0 : *calls - 1);
  }
  return "url:" + std::string(url_of(branch->target)) +
         " return failed: " + with_failure(std::string(branch->what));
}

std::string unknown_result_text(std::string_view reason) {
  return "your http/grpc result should be specified as in:\n"
         "http://d.dtm.pub/practice/arch.html#proto\n"
         "unkown result will be retried: " +
         std::string(reason);
}

}  // namespace belay::protocol
