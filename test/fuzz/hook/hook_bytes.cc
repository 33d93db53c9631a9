#include "fuzz/hook/hook_bytes.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "base/ascii.h"
#include "hook/http_response.h"
#include "hook/json.h"
#include "hook/url.h"

namespace belay::test {
namespace {

constexpr std::array<long, 10> kStatuses = {200, 201, 204, 302, 404, 409, 425, 500, 502, 999};
constexpr std::size_t kBytesMax = 4'096;

bool has(std::string_view text, std::string_view word) { return text.find(word) != text.npos; }

// What a body without a head is, if it is text.
OutcomeKind by_the_table(long status, std::string_view body) {
  if (status == 425 || has(body, "ONGOING")) return OutcomeKind::ongoing;
  if (status == 409 || has(body, "FAILURE")) return OutcomeKind::failure;
  return status == 200 ? OutcomeKind::success : OutcomeKind::unknown;
}

bool is_no_text(std::string_view body) {
  const auto is_control = [](char c) {
    return c >= 0 && c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f';
  };
  return std::any_of(body.begin(), body.end(), is_control) || body.starts_with("\xff\xfe") ||
         body.starts_with("\xfe\xff") || body.starts_with("+/v");
}

struct Response {
  long status = 0;
  std::size_t piece = 1;
  std::string_view head;
  std::string_view body;
};

std::optional<Response> response_in(std::string_view input) {
  if (input.size() < 2 || input[0] < '0' || input[0] > '9') return std::nullopt;
  return Response{kStatuses[static_cast<std::size_t>(input[0] - '0')],
                  1 + static_cast<unsigned char>(input[1]) % 64u,
                  {},
                  input.substr(2)};
}

Outcome read_in_pieces(const Response& response, std::size_t piece, std::string_view rpc_id) {
  hook::HttpResponse answer;
  answer.begin(kBytesMax, rpc_id);
  for (auto head = response.head; !head.empty();) {
    const auto end = std::min(head.find('\n'), head.size() - 1) + 1;
    answer.take_head(head.substr(0, end));
    head.remove_prefix(end);
  }
  for (auto body = response.body; !body.empty();) {
    if (!answer.take(body.substr(0, piece))) break;
    body.remove_prefix(std::min(piece, body.size()));
  }
  return answer.outcome(response.status);
}

std::string check_pieces(const Response& response, std::string_view rpc_id, const Outcome& whole) {
  const auto cut = read_in_pieces(response, response.piece, rpc_id);
  if (whole.kind() != cut.kind() || whole.reason() != cut.reason())
    return "a response means something else in pieces of " + std::to_string(response.piece);
  if (whole.reason().size() > 5'000) return "a reason is long";
  if (whole.kind() == OutcomeKind::success && response.status != 200)
    return "another status than 200 is a success";
  return {};
}

Outcome read_whole(const Response& response, std::string_view rpc_id) {
  return read_in_pieces(response, std::max<std::size_t>(1, response.body.size()), rpc_id);
}

std::string check_answer(std::string_view input, bool& read) {
  const auto response = response_in(input);
  if (!response) return {};
  const auto whole = read_whole(*response, "");
  if (auto broken = check_pieces(*response, "", whole); !broken.empty()) return broken;
  if (response->body.size() > kBytesMax)
    return whole.kind() == OutcomeKind::unknown ? "" : "a response beyond the limit was read";
  if (is_no_text(response->body)) {
    return whole.kind() == OutcomeKind::success ? "what is no text is a success" : "";
  }
  // An escape may write a word; only then may it be more than the table says.
  const auto expected = by_the_table(response->status, response->body);
  if (whole.kind() != expected && !has(response->body, "\\u"))
    return "the table says something else";
  if (whole.kind() == OutcomeKind::success && expected != OutcomeKind::success)
    return "the table says it is no success";
  read = true;
  return {};
}

std::string check_json_rpc(std::string_view input, bool& read) {
  const auto response = response_in(input);
  if (!response) return {};
  const auto whole = read_whole(*response, "1");
  if (auto broken = check_pieces(*response, "1", whole); !broken.empty()) return broken;
  const bool is_by_status = response->status == 409 || response->status == 425;
  if (whole.kind() == OutcomeKind::unknown || is_by_status) return {};
  auto body = response->body;
  if (body.starts_with("\xef\xbb\xbf")) body.remove_prefix(3);
  if (!hook::json_members(body)) return "what is no JSON means something";
  read = true;
  return {};
}

// The head's first empty line ends it.
std::string check_headed(std::string_view input, bool& read) {
  auto response = response_in(input);
  if (!response) return {};
  const auto end = response->body.find("\n\n");
  if (end == std::string_view::npos) return {};
  response->head = response->body.substr(0, end + 2);
  response->body.remove_prefix(end + 2);
  const auto whole = read_whole(*response, "");
  read = whole.kind() == OutcomeKind::success || whole.kind() == OutcomeKind::failure;
  return check_pieces(*response, "", whole);
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
  if (!is_number && !ours->is_ipv6 && !base::equal_ignoring_case(host, ours->host))
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
    case HookBytes::http: return check_answer(rest, read);
    case HookBytes::json_rpc: return check_json_rpc(rest, read);
    case HookBytes::headed: return check_headed(rest, read);
    case HookBytes::json: return check_json(rest, read);
    case HookBytes::url: return check_url(rest, read);
  }
  return {};
}

}  // namespace belay::test
