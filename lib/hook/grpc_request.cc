#include "hook/grpc_request.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/base64.h"
#include "base/invalid.h"
#include "belay/check.h"
#include "belay/version.h"
#include "hook/call_text.h"

namespace belay::hook {
namespace {

constexpr std::string_view kBinary = "-bin";  // the value of such a key is sent as base64
constexpr bool kComesOnce = true;
// What the texts of fixed length need at most: three numbers, an operation's word, a traceparent.
constexpr std::size_t kSmallTextsBytes = 192;
constexpr std::size_t kBase64Rest = 4;
constexpr std::int64_t kMillisMax = 99'999'999;  // a timeout has eight digits at most

bool is_metadata_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return base::is_letter(c) || base::is_digit(c) || c == '-' || c == '_' || c == '.';
  });
}

bool is_metadata_value(std::string_view value) {
  const bool is_trimmed = value.empty() || (value.front() != ' ' && value.back() != ' ');
  return is_trimmed &&
         std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

// Keys that belong to gRPC or to dtm's protocol. If a caller gives such a header, it is left out.
bool is_own_key(std::string_view name) {
  constexpr std::array<std::string_view, 8> kOwnKeys = {
      "content-type", "dtm-gid", "dtm-trans_type", "dtm-branch_id",
      "dtm-op",       "dtm-dtm", "user-agent",     "accept",
  };
  return is_own_header(name) || base::starts_with_ignoring_case(name, "grpc-") ||
         std::any_of(kOwnKeys.begin(), kOwnKeys.end(),
                     [&](auto own) { return base::equal_ignoring_case(own, name); });
}

bool is_secret_key(std::string_view name) {
  return base::equal_ignoring_case(name, "authorization") ||
         base::equal_ignoring_case(name, "cookie");
}

bool ends_binary(std::string_view name) {
  return name.size() > kBinary.size() &&
         base::equal_ignoring_case(name.substr(name.size() - kBinary.size()), kBinary);
}

std::string timeout_text(Millis timeout) {
  if (timeout.count() <= kMillisMax) return std::to_string(timeout.count()) + "m";
  return std::to_string(std::min<std::int64_t>(timeout.count() / 1'000, kMillisMax)) + "S";
}

// The tag and the length of a message's first field, which has bytes.
std::string bytes_prefix(std::size_t size) {
  std::string out = "\x0a";
  for (; size >= 0x80; size >>= 7) out += static_cast<char>((size & 0x7f) | 0x80);
  return out += static_cast<char>(size);
}

}  // namespace

Result<> check_metadata(std::span<const Header> headers) {
  if (headers.size() > kHeadersMax) {
    return base::invalid("there are " + std::to_string(headers.size()) +
                         " headers, a gRPC target can be called with " +
                         std::to_string(kHeadersMax));
  }
  for (const auto& header : headers) {
    if (is_own_key(header.name)) continue;
    if (!is_metadata_name(header.name)) {
      return base::invalid("'" + header.name +
                           "' is no key of gRPC's metadata, which has letters, digits, '-', '_' "
                           "and '.' only");
    }
    if (!ends_binary(header.name) && !is_metadata_value(header.value)) {
      return base::invalid("the value of the header '" + header.name +
                           "' cannot be metadata of gRPC: it has characters beyond printable "
                           "ASCII, or spaces at an end");
    }
  }
  return {};
}

Result<> check_metadata_text(std::string_view what, std::string_view text) {
  if (is_metadata_value(text)) return {};
  return base::invalid("the " + std::string(what) +
                       " cannot be sent to a gRPC target: it has characters beyond printable "
                       "ASCII, or spaces at an end");
}

void GrpcRequest::make_room(const Call& call, const Target& target) {
  std::size_t size = kSmallTextsBytes + target.method.size() + target.authority.size() +
                     call.gid.size() + call.branch_id.size() + call.workflow.size();
  for (const auto& header : call.headers)
    size += header.name.size() + header.value.size() / 3 * 4 + kBase64Rest;
  text_.clear();
  text_.reserve(size);
}

std::string_view GrpcRequest::kept(std::string_view text) {
  const auto at = text_.size();
  BELAY_CHECK(text.size() <= text_.capacity() - at);
  text_ += text;
  return std::string_view(text_).substr(at);
}

std::string_view GrpcRequest::kept_lower(std::string_view text) {
  const auto at = text_.size();
  const auto copy = kept(text);
  for (auto i = at; i < text_.size(); ++i) text_[i] = base::lower(text_[i]);
  return copy;
}

void GrpcRequest::add_ids(const Call& call, std::vector<h2::Field>& head) {
  head.push_back({"dtm-gid", kept(call.gid), kComesOnce});
  head.push_back({"dtm-trans_type", name_of(call.mode)});
  head.push_back({"dtm-branch_id", kept(call.branch_id)});
  head.push_back({"dtm-op", kept(op_word(call))});
  head.push_back({"dtm-dtm", ""});
  head.push_back({"belay-attempt", kept(Decimal(call.attempt).view())});
  head.push_back({"belay-fence", kept(Decimal(call.fence).view())});
}

void GrpcRequest::add_headers(const Call& call, std::uint64_t span, std::vector<h2::Field>& head) {
  for (std::size_t i = 0; i < call.headers.size(); ++i) {
    const auto& [name, value] = call.headers[i];
    if (is_own_key(name) || is_in(call.headers.subspan(i + 1), name)) continue;
    const auto sent = ends_binary(name) ? kept(base::to_base64(value)) : kept(value);
    head.push_back({kept_lower(name), sent, is_secret_key(name)});
  }
  const auto trace = trace_parent_of(call, span);
  if (!trace.empty() && !is_in(call.headers, "traceparent"))
    head.push_back({"traceparent", kept(trace), kComesOnce});
}

Result<> GrpcRequest::make(const Call& call, const Target& target, std::uint64_t span,
                           std::vector<h2::Field>& head) {
  BELAY_TRY(check_metadata(call.headers));
  BELAY_TRY(check_metadata_text("gid", call.gid));
  BELAY_TRY(check_metadata_text("branch's id", call.branch_id));
  BELAY_TRY(check_metadata_text("workflow's name", call.workflow));
  make_room(call, target);
  static const auto agent = "belay/" + std::to_string(BELAY_VERSION_MAJOR) + "." +
                            std::to_string(BELAY_VERSION_MINOR) + "." +
                            std::to_string(BELAY_VERSION_PATCH);
  head.assign({{":method", "POST"},
               {":scheme", target.tls ? "https" : "http"},
               {":path", kept(target.method)},
               {":authority", kept(target.authority)},
               {"te", "trailers"},
               {"content-type", "application/grpc"},
               {"user-agent", agent},
               {"grpc-accept-encoding", "identity"},
               {"grpc-timeout", kept(timeout_text(call.timeout))}});
  add_ids(call, head);
  add_headers(call, span, head);
  return {};
}

// A workflow's callback is sent its data as the first field of a message, as dtm does.
void GrpcRequest::append_message(std::string& out, const Call& call) {
  const bool is_wrapped = call.mode == Mode::workflow && !call.payload.empty();
  const auto prefix = is_wrapped ? bytes_prefix(call.payload.size()) : std::string();
  const auto size = prefix.size() + call.payload.size();
  out += '\0';  // not compressed
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>((size >> shift) & 0xff);
  out.append(prefix).append(call.payload);
}

}  // namespace belay::hook
