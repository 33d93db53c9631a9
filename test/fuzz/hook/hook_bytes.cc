#include "fuzz/hook/hook_bytes.h"

#include <curl/curl.h>

#include <array>
#include <memory>

#include "hook/answer.h"
#include "hook/json.h"
#include "hook/url.h"

namespace belay::test {
namespace {

constexpr std::array<long, 10> kStatuses = {200, 201, 204, 302, 404, 409, 425, 500, 502, 999};
constexpr std::size_t kBytesMax = 4'096;

bool has(std::string_view text, std::string_view word) { return text.find(word) != text.npos; }

OutcomeKind by_the_table(long status, std::string_view body) {
  if (status == 425 || has(body, "ONGOING")) return OutcomeKind::ongoing;
  if (status == 409 || has(body, "FAILURE")) return OutcomeKind::failure;
  return status == 200 ? OutcomeKind::success : OutcomeKind::unknown;
}

Outcome read_in_pieces(std::string_view body, std::size_t piece, long status, bool json_rpc) {
  hook::Answer answer;
  answer.begin(kBytesMax, json_rpc);
  while (!body.empty()) {
    if (!answer.take(body.substr(0, piece))) break;
    body.remove_prefix(std::min(piece, body.size()));
  }
  return answer.outcome(status);
}

std::string check_answer(std::string_view input, bool json_rpc, bool& read) {
  if (input.size() < 2 || input[0] < '0' || input[0] > '9') return {};
  const auto status = kStatuses[static_cast<std::size_t>(input[0] - '0')];
  const auto piece = 1 + static_cast<unsigned char>(input[1]) % 64u;
  const auto body = input.substr(2);
  const auto whole = read_in_pieces(body, body.size(), status, json_rpc);
  const auto cut = read_in_pieces(body, piece, status, json_rpc);
  if (whole.kind() != cut.kind() || whole.reason() != cut.reason())
    return "a response means something else in pieces of " + std::to_string(piece);
  if (whole.reason().size() > 1'100) return "a reason is long";
  if (body.size() > kBytesMax)
    return whole.kind() == OutcomeKind::unknown ? "" : "a response beyond the limit was read";
  const auto expected = by_the_table(status, body);
  const bool by_json = json_rpc && expected == OutcomeKind::success;
  if (!by_json && whole.kind() != expected) return "the table says something else";
  if (by_json && whole.kind() == OutcomeKind::success && !hook::json_members(body))
    return "what is no JSON is a success";
  read = true;
  return {};
}

// The members are views into the text, in order, and an object of them is the same object.
std::string check_json(std::string_view text, bool& read) {
  const auto members = hook::json_members(text);
  if (!members) return {};
  read = true;
  std::string again = "{";
  const auto* at = text.data();
  for (const auto& [name, value] : *members) {
    if (name.data() < at || value.data() < name.data() + name.size()) return "members overlap";
    at = value.data() + value.size();
    if (at > text.data() + text.size()) return "a member is not in the text";
    if (again.size() > 1) again += ',';
    again.append("\"").append(name).append("\":").append(value);
  }
  again += '}';
  const auto second = hook::json_members(again);
  if (!second || second->size() != members->size()) return "an object of the members is another";
  for (std::size_t i = 0; i < members->size(); ++i) {
    if ((*second)[i].name != (*members)[i].name || (*second)[i].value != (*members)[i].value)
      return "a member changed";
  }
  return {};
}

std::string part(CURLU* url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, flags) != CURLUE_OK) return {};
  std::string out(text);
  curl_free(text);
  return out;
}

std::string check_url(std::string_view input, bool& read) {
  const auto target = hook::make_target(input);
  if (!target) return hook::parse_url(input) && !hook::is_url(input) ? "parsed, but no URL" : "";
  read = true;
  const auto ours = hook::parse_url(target->url);
  if (!ours) return "a URL that was made cannot be read";
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> theirs(curl_url(), curl_url_cleanup);
  // Some that we take, curl does not; such a call fails. But none may go elsewhere.
  if (curl_url_set(theirs.get(), CURLUPART_URL, target->url.c_str(), CURLU_PATH_AS_IS) != CURLUE_OK)
    return {};
  auto host = part(theirs.get(), CURLUPART_HOST);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  const bool is_number =
      ours->host.find_first_not_of("0123456789.xXabcdefABCDEF") == std::string::npos;
  if (!is_number && !ours->is_ipv6 && !hook::equal_ignoring_case(host, ours->host))
    return "libcurl calls '" + host + "' instead of '" + std::string(ours->host) + "'";
  if (part(theirs.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT) != std::to_string(ours->port))
    return "libcurl calls another port";
  if (part(theirs.get(), CURLUPART_SCHEME) != (ours->tls ? "https" : "http"))
    return "libcurl uses another scheme";
  return {};
}

}  // namespace

std::string check_hook_bytes(std::string_view input, bool& read) {
  read = false;
  if (input.empty()) return {};
  const auto rest = input.substr(1);
  switch (static_cast<HookBytes>(input[0])) {
    case HookBytes::http: return check_answer(rest, false, read);
    case HookBytes::json_rpc: return check_answer(rest, true, read);
    case HookBytes::json: return check_json(rest, read);
    case HookBytes::url: return check_url(rest, read);
  }
  return {};
}

}  // namespace belay::test
