#include "hook/http_response.h"

#include <algorithm>

#include "base/ascii.h"
#include "hook/json_rpc.h"
#include "hook/spare.h"

namespace belay::hook {
namespace {

constexpr std::size_t kStartBytes = 1024;

// Control characters that no text contains. UTF-16, compressed bytes and charsets with shift
// sequences contain some of them.
bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f';
}

// True if the body begins with a mark of UTF-16 or UTF-7.
bool has_strange_mark(std::string_view body) {
  return body.starts_with("\xff\xfe") || body.starts_with("\xfe\xff") || body.starts_with("+/v");
}

}  // namespace

void HttpResponse::begin(std::size_t bytes_max, std::string_view rpc_id) {
  bytes_max_ = bytes_max;
  rpc_id_ = rpc_id;
  head_.begin();
  packing_ = Packing::none;
  is_packed_so_ = false;
  sent_bytes_ = text_bytes_ = 0;
  too_large_ = no_room_ = false;
  flaw_.clear();
  words_.begin();
  forget();
}

void HttpResponse::forget() {
  clear_for_next(kept_);
  if (all_ != nullptr) all_->now -= counted_;
  counted_ = 0;
}

void HttpResponse::begin_body() {
  flaw_ = head_.flaw();
  packing_ = flaw_.empty() ? *head_.packing() : Packing::none;
  is_packed_so_ = packing_ != Packing::none;
  if (is_packed_so_) unpacker_.begin(packing_);
}

bool HttpResponse::take(std::string_view part) {
  if (part.empty()) return true;
  if (sent_bytes_ == 0) begin_body();
  sent_bytes_ += part.size();
  too_large_ = too_large_ || sent_bytes_ > bytes_max_;
  if (too_large_) return false;
  if (packing_ == Packing::none) return take_text(part);
  if (!is_packed_so_) return true;
  is_packed_so_ = unpacker_.feed(part, [this](std::string_view text) { return take_text(text); });
  if (!is_packed_so_ && flaw_.empty()) flaw_ = "it is not packed as its Content-Encoding says";
  return !given_up();
}

// False: there is no room left to keep the part.
bool HttpResponse::keep(std::string_view part) {
  if (all_ != nullptr && kept_.size() + part.size() > kStartBytes) {
    const bool is_lone = all_->now == counted_;
    no_room_ = !is_lone && all_->now + part.size() > all_->max;
    if (no_room_) return false;
    all_->now += part.size();
    counted_ += part.size();
  }
  kept_ += part;
  return true;
}

bool HttpResponse::take_text(std::string_view part) {
  text_bytes_ += part.size();
  too_large_ = text_bytes_ > bytes_max_;
  if (too_large_) return false;
  if (!flaw_.empty()) return true;
  const auto most = is_rpc() ? bytes_max_ : kStartBytes;
  if (kept_.size() < most && !keep(part.substr(0, most - kept_.size()))) return false;
  words_.take(part);
  if (std::any_of(part.begin(), part.end(), is_control) || has_strange_mark(kept_))
    flaw_ = "it is no text in letters like ASCII's";
  return true;
}

// Includes the problems that only the end of the body shows.
std::string HttpResponse::flaw() const {
  if (!flaw_.empty()) return flaw_;
  if (sent_bytes_ == 0)
    return head_.packing() == Packing::none ? "" : "its Content-Encoding says more than it has";
  if (packing_ != Packing::none && !unpacker_.is_whole()) return "it is packed and was cut";
  return {};
}

std::string_view HttpResponse::start() const {
  return base::trimmed(std::string_view(kept_).substr(0, kStartBytes));
}

Outcome HttpResponse::outcome(long status) const {
  auto outcome = read(status);
  const bool may_ask_for_pause = status == 429 || status == 503;
  if (may_ask_for_pause) outcome.retry_after(head_.retry_after().value_or(Millis{0}));
  return outcome;
}

Outcome HttpResponse::read(long status) const {
  if (too_large_) {
    return Outcome::unknown("the response is larger than " + std::to_string(bytes_max_) + " bytes");
  }
  if (no_room_)
    return Outcome::unknown("the response is not read: too much of others is being read");
  const auto http = "HTTP " + std::to_string(status);
  if (const auto why = flaw(); !why.empty()) {
    const auto reason = http + ", the response cannot be read: " + why;
    if (status == 425) return Outcome::ongoing(reason);
    return status == 409 ? Outcome::failure(reason) : Outcome::unknown(reason);
  }
  if (is_rpc()) return rpc_outcome(status);
  if (status == 425 || words_.ongoing()) return Outcome::ongoing(std::string(start()));
  if (status == 409 || words_.failure()) return Outcome::failure(std::string(start()));
  if (status == 200) return Outcome::success();
  return Outcome::unknown(start().empty() ? http : http + ": " + std::string(start()));
}

Outcome HttpResponse::rpc_outcome(long status) const {
  auto said = read_json_rpc(kept_, rpc_id_);
  if (status == 200 || said.kind() == OutcomeKind::ongoing) return said;
  if (status == 425) return Outcome::ongoing(std::string(start()));
  if (said.kind() == OutcomeKind::failure) return said;
  if (status == 409) return Outcome::failure(std::string(start()));
  const auto http = "HTTP " + std::to_string(status);
  return Outcome::unknown(start().empty() ? http : http + ": " + std::string(start()));
}

}  // namespace belay::hook
