#include "fuzz/hook/hook_bytes.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "belay/features.h"
#include "hook/http_response.h"
#include "hook/json.h"
#include "hook/url.h"
#if BELAY_HAS_GRPC
#include "h2/session.h"
#include "hook/grpc_response.h"
#endif

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

// What was read is written again, and read again.
std::string check_grpc_target(const hook::Target& target) {
  const auto again = hook::make_target(target.host + target.method);
  if (!again) return "a gRPC target that was made cannot be read";
  const bool is_same = again->host == target.host && again->method == target.method &&
                       again->authority == target.authority && again->port == target.port &&
                       again->name == target.name && again->tls == target.tls;
  return is_same ? "" : "a gRPC target is another when it is read again";
}

std::string check_url(std::string_view input, bool& read) {
  const auto target = hook::make_target(input);
  if (!target) return hook::parse_url(input) && !hook::is_url(input) ? "parsed, but no URL" : "";
  read = true;
  if (target->protocol == hook::Protocol::grpc) return check_grpc_target(*target);
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

#if BELAY_HAS_GRPC

using GrpcFields = std::vector<std::pair<std::string_view, std::string_view>>;

// Takes lines of "name:value" off the text, up to an empty one.
std::optional<GrpcFields> take_fields(std::string_view& text) {
  GrpcFields fields;
  for (;;) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const auto line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.empty()) return fields;
    const auto colon = line.find(':', 1);
    if (colon == std::string_view::npos) return std::nullopt;
    fields.emplace_back(line.substr(0, colon), line.substr(colon + 1));
  }
}

struct GrpcParts {
  GrpcFields head, trailers;
  std::string_view body;

  bool is_head_only() const { return body.empty() && trailers.empty(); }
};

Outcome read_grpc(const GrpcParts& parts, std::size_t piece) {
  hook::GrpcResponse response;
  response.begin(kBytesMax);
  for (const auto& [name, value] : parts.head)
    response.take_field(name, value, parts.is_head_only());
  for (auto body = parts.body; !body.empty();) {
    if (!response.take_body(body.substr(0, piece))) break;
    body.remove_prefix(std::min(piece, body.size()));
  }
  for (const auto& [name, value] : parts.trailers) response.take_field(name, value, true);
  return response.end().outcome;
}

bool is_one_message(std::string_view body) {
  if (body.size() < 5 || body[0] != '\0') return false;
  std::size_t size = 0;
  for (std::size_t i = 1; i < 5; ++i) size = size << 8 | static_cast<unsigned char>(body[i]);
  return body.size() == 5 + size && size <= kBytesMax;
}

std::string check_grpc(std::string_view input, bool& read) {
  if (input.empty()) return {};
  const auto piece = 1 + static_cast<unsigned char>(input[0]) % 64u;
  auto rest = input.substr(1);
  GrpcParts parts;
  auto head = take_fields(rest);
  auto trailers = head ? take_fields(rest) : std::nullopt;
  if (!trailers) return {};
  parts = {std::move(*head), std::move(*trailers), rest};
  const auto whole = read_grpc(parts, std::max<std::size_t>(1, parts.body.size()));
  const auto cut = read_grpc(parts, piece);
  if (whole.kind() != cut.kind() || whole.reason() != cut.reason())
    return "a gRPC response means something else in pieces of " + std::to_string(piece);
  if (whole.reason().size() > 5'000) return "a reason is long";
  read = whole.kind() != OutcomeKind::unknown;
  if (!read) return {};
  std::vector<std::string_view> statuses;
  for (const auto& [name, value] : parts.is_head_only() ? parts.head : parts.trailers) {
    if (name == "grpc-status") statuses.push_back(value);
  }
  if (statuses.size() != 1) return "not one status means something";
  if (whole.kind() == OutcomeKind::success && !is_one_message(parts.body))
    return "what is not one message is a success";
  return {};
}

// A request for which nothing is remembered but that it ended once.
class CountingStream final : public h2::Stream {
 public:
  void take_field(std::string_view, std::string_view, bool) override {}
  bool take_body(std::string_view part) override { return (taken_ += part.size()) < kBytesMax; }
  void ended(std::uint32_t) override { ++ends; }
  int ends = 0;

 private:
  std::size_t taken_ = 0;
};

std::string check_http2(std::string_view input, bool& read) {
  const auto session = h2::Session::make();
  if (!session) return "there is no session";
  const std::array<h2::Field, 4> request = {
      {{":method", "POST"}, {":scheme", "http"}, {":path", "/a.B/C"}, {":authority", "h:1"}}};
  CountingStream stream;
  stream.body = std::string(5, '\0');
  if (!session->submit(stream, request)) return "a request was refused";
  while (!session->take().empty()) continue;
  const bool is_good = session->feed(input);
  std::size_t sent = 0;
  for (auto part = session->take(); !part.empty(); part = session->take()) sent += part.size();
  if (sent > 64 * input.size() + 4'096) return "few bytes are answered by many";
  if (stream.ends > 1) return "a stream ended twice";
  if (stream.ends == 0 && session->abandon().size() != 1) return "a stream was lost";
  read = is_good && stream.ends == 1;
  return {};
}

#endif

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
#if BELAY_HAS_GRPC
    case HookBytes::grpc: return check_grpc(rest, read);
    case HookBytes::http2: return check_http2(rest, read);
#else
    case HookBytes::grpc:
    case HookBytes::http2: break;
#endif
  }
  return {};
}

}  // namespace belay::test
