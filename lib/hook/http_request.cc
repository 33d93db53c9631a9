#include "hook/http_request.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/ascii.h"
#include "base/invalid.h"
#include "base/json_text.h"
#include "base/percent.h"
#include "base/trace.h"
#include "hook/json.h"
#include "hook/spare.h"

namespace belay::hook {
namespace {

constexpr std::size_t kHeadersMax = 256;

// Headers that belong to the connection or to belay. If a caller gives such a header, it is left
// out.
constexpr std::array<std::string_view, 13> kOwnHeaders = {
    "accept-encoding",   "connection", "content-length",      "expect", "host",
    "http2-settings",    "keep-alive", "proxy-connection",    "te",     "trailer",
    "transfer-encoding", "upgrade",    "proxy-authorization",
};
constexpr std::size_t kTraceFlagsAt = 53;  // the place of the flags in a traceparent
constexpr std::string_view kAttempt = "Belay-Attempt";
constexpr std::string_view kFence = "Belay-Fence";

bool is_own(std::string_view name) {
  return base::equal_ignoring_case(name, kAttempt) || base::equal_ignoring_case(name, kFence) ||
         std::any_of(kOwnHeaders.begin(), kOwnHeaders.end(),
                     [&](auto own) { return base::equal_ignoring_case(own, name); });
}

bool is_token(std::string_view name) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return base::is_letter(c) || base::is_digit(c) || kMarks.find(c) != std::string_view::npos;
  });
}

bool is_value(std::string_view value) {
  return std::none_of(value.begin(), value.end(),
                      [](char c) { return base::is_control(c) && c != '\t'; });
}

// The operation in dtm's terms: a back-check is "msg", a workflow is called by its name.
std::string_view op_word(const Call& call) {
  if (!call.workflow.empty()) return call.workflow;
  return call.op == Op::query ? "msg" : name_of(call.op);
}

bool is_in(std::span<const Header> headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(), [&](const Header& header) {
    return base::equal_ignoring_case(header.name, name);
  });
}

// "00-TRACE-SPAN-FLAGS", with the span of this call.
std::string new_span(std::string_view trace, std::uint64_t span, std::string_view flags) {
  std::string out = "00-";
  out.append(trace).append("-");
  for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789abcdef"[(span >> shift) & 15];
  return out.append("-").append(flags);
}

// All bytes of a gid are kept, whatever they are, because the participant knows the gid by its
// bytes.
void append_json_text(std::string& out, std::string_view text) {
  base::append_json_string(out, text, base::OddBytes::kept);
}

class Decimal {
 public:
  explicit Decimal(std::uint64_t number)
      : end_(std::to_chars(digits_.data(), digits_.data() + digits_.size(), number).ptr) {}
  std::string_view view() const {
    return {digits_.data(), static_cast<std::size_t>(end_ - digits_.data())};
  }

 private:
  std::array<char, 20> digits_;
  char* end_;
};

std::optional<std::vector<JsonMember>> params_of(std::string_view payload) {
  return json_members(payload.empty() ? "{}" : payload);
}

Error no_params() {
  return base::invalid("the payload is no JSON object, as JSON-RPC's params must be");
}

}  // namespace

Result<> check_headers(std::span<const Header> headers) {
  if (headers.size() > kHeadersMax) {
    return base::invalid("there are " + std::to_string(headers.size()) +
                         " headers, a URL can be called with " + std::to_string(kHeadersMax));
  }
  for (const auto& header : headers) {
    if (!is_token(header.name))
      return base::invalid("'" + header.name + "' is no name that an HTTP header can have");
    if (!is_value(header.value))
      return base::invalid("the value of the header '" + header.name + "' has a control character");
  }
  return {};
}

Result<> check_payload(std::string_view target, std::string_view payload) {
  const auto url = parse_url(target);
  if (!url || !url->json_rpc || params_of(payload)) return {};
  return no_params();
}

Result<> HttpRequest::make(const Call& call, const Target& target, std::uint64_t span) {
  BELAY_TRY(check_headers(call.headers));
  body_.clear();
  rpc_id_.clear();
  if (target.json_rpc) {
    BELAY_TRY(make_json_rpc(call, target));
  } else {
    make_url(call, target);
  }
  make_headers(call, span);
  return {};
}

void HttpRequest::make_url(const Call& call, const Target& target) {
  is_post_ = !call.payload.empty() || call.mode == Mode::xa || call.mode == Mode::workflow;
  body_ = call.payload;
  url_ = target.url;
  url_ += "branch_id=";
  base::append_percent_encoded(url_, call.branch_id);
  url_ += "&gid=";
  base::append_percent_encoded(url_, call.gid);
  url_ += "&op=";
  base::append_percent_encoded(url_, op_word(call));
  url_ += "&trans_type=";
  url_ += name_of(call.mode);
}

// The members of the payload, then the members that identify the call; the latter replace members
// of the payload.
Result<> HttpRequest::make_json_rpc(const Call& call, const Target& target) {
  const auto members = params_of(call.payload);
  if (!members) return no_params();
  is_post_ = true;
  url_ = target.url;
  const std::array<std::pair<std::string_view, std::string_view>, 4> own = {{
      {"branch_id", call.branch_id},
      {"gid", call.gid},
      {"op", op_word(call)},
      {"trans_type", name_of(call.mode)},
  }};
  rpc_id_ = call.gid;
  rpc_id_.append(".").append(call.branch_id).append(".").append(name_of(call.op));
  rpc_id_.append(".").append(Decimal(call.attempt).view());
  body_ = "{\"id\":";
  append_json_text(body_, rpc_id_);
  body_ += ",\"jsonrpc\":\"2.0\",\"method\":";
  append_json_text(body_, target.method);
  body_ += ",\"params\":{";
  for (const auto& member : *members) {
    const auto name = json_text(member.name);
    const auto is_it = [&](const auto& pair) { return pair.first == name; };
    if (std::any_of(own.begin(), own.end(), is_it)) continue;
    body_.append("\"").append(member.name).append("\":").append(member.value).append(",");
  }
  for (const auto& [name, value] : own) {
    body_.append("\"").append(name).append("\":");
    append_json_text(body_, value);
    body_ += ',';
  }
  body_.back() = '}';
  body_ += '}';
  return {};
}

void HttpRequest::add_header(std::string_view name, std::string_view value) {
  header_at_.push_back(headers_.size());
  headers_ += name;
  if (value.find_first_not_of(" \t") == std::string_view::npos) {
    headers_ += ';';
  } else {
    headers_.append(": ").append(value);
  }
  headers_ += '\0';
}

void HttpRequest::make_headers(const Call& call, std::uint64_t span) {
  headers_.clear();
  header_at_.clear();
  if (!is_in(call.headers, "Content-Type")) add_header("Content-Type", "application/json");
  if (!is_in(call.headers, "Accept")) add_header("Accept", "application/json");
  // Without this header a server may compress the answer as it likes.
  add_header("Accept-Encoding", "identity");
  for (std::size_t i = 0; i < call.headers.size(); ++i) {
    const auto& [name, value] = call.headers[i];
    if (!is_own(name) && !is_in(call.headers.subspan(i + 1), name)) add_header(name, value);
  }
  add_header(kAttempt, Decimal(call.attempt).view());
  add_header(kFence, Decimal(call.fence).view());
  const auto trace = base::trace_id_of(call.trace_parent);
  if (!trace.empty() && !is_in(call.headers, "traceparent"))
    add_header("traceparent", new_span(trace, span, call.trace_parent.substr(kTraceFlagsAt, 2)));
  if (is_post_) {
    // libcurl leaves out a header that has neither a value nor a semicolon. So large payloads are
    // sent without "Expect: 100-continue".
    header_at_.push_back(headers_.size());
    headers_.append("Expect:");
    headers_ += '\0';
  }
}

void HttpRequest::rest() {
  for (auto* text : {&url_, &body_, &headers_}) clear_for_next(*text);
}

void HttpRequest::go_to(std::string_view url) { url_ = url; }

}  // namespace belay::hook
