#include "hook/http_request.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/invalid.h"
#include "base/json_text.h"
#include "base/percent.h"
#include "hook/call_text.h"
#include "hook/json.h"
#include "hook/spare.h"

namespace belay::hook {
namespace {

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

// All bytes of a gid are kept, whatever they are, because the participant knows the gid by its
// bytes.
void append_json_text(std::string& out, std::string_view text) {
  base::append_json_string(out, text, base::OddBytes::kept);
}

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
  if (!is_json_rpc(target) || params_of(payload)) return {};
  return no_params();
}

Result<> HttpRequest::make(const Call& call, const Target& target, std::uint64_t span) {
  BELAY_TRY(check_headers(call.headers));
  body_.clear();
  rpc_id_.clear();
  if (target.protocol == Protocol::json_rpc) {
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
    if (!is_own_header(name) && !is_in(call.headers.subspan(i + 1), name)) add_header(name, value);
  }
  add_header(kAttempt, Decimal(call.attempt).view());
  add_header(kFence, Decimal(call.fence).view());
  const auto trace = trace_parent_of(call, span);
  if (!trace.empty() && !is_in(call.headers, "traceparent")) add_header("traceparent", trace);
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
