#include "h2/channel.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/descriptor.h"

namespace belay::h2 {
namespace {

// How long an attempt to connect may take if there are other addresses: little in the first round,
// for an address that leads nowhere, more in the second one, for a slow network.
constexpr std::uint64_t kAttemptMillis = 400;
constexpr std::uint64_t kSecondAttemptMillis = 5'000;
// And the last one: a peer that accepts and never answers in TLS would be waited for without end.
constexpr std::uint64_t kLastAttemptMillis = 10'000;

std::string why_reset(std::uint32_t code) {
  return std::string("the stream was reset: ") + nghttp2_http2_strerror(code);
}

}  // namespace

void Request::ended(std::uint32_t code) { channel_->ended(*this, code); }
void Request::due() { channel_->expire(*this); }

Channel::~Channel() {
  forget();
  shared_.times.clear(*this);
  *self_ = nullptr;
}

void Channel::forget() {
  for (auto* request : std::exchange(waiting_, {})) shared_.times.clear(*request);
  const auto forget_streams = [&](Connected& connected) {
    if (!connected.connection) return;
    for (auto* stream : connected.connection->abandon())
      shared_.times.clear(*static_cast<Request*>(stream));
  };
  forget_streams(current_);
  for (auto& connected : retiring_) forget_streams(connected);
}

bool Channel::is_idle() const {
  const bool has_streams = current_.connection && current_.connection->streams() != 0;
  return waiting_.empty() && !has_streams && retiring_.empty() && !is_looking_up_;
}

void Channel::add(Request& request) {
  used_at_ = shared_.times.now();
  request.channel_ = this;
  request.connection_ = nullptr;
  request.waits_at_ = waiting_.insert(waiting_.end(), &request);
  stirred();
}

void Channel::work() {
  if (current_.connection && current_.connection->state() == Connection::State::ended) {
    auto lost = std::exchange(current_, {});
    if (addresses_.empty()) {
      take_back(lost);
    } else {
      attempt_failed(End::How::unreached, lost.connection->why_ended());
    }
  }
  for (auto it = retiring_.begin(); it != retiring_.end();) {
    it->connection->flush();
    const bool is_over =
        it->connection->streams() == 0 || it->connection->state() == Connection::State::ended;
    if (is_over) take_back(*it);
    it = is_over ? retiring_.erase(it) : std::next(it);
  }
  if (!waiting_.empty()) submit_waiting();
  if (current_.connection) current_.connection->flush();
}

void Channel::submit_waiting() {
  if (!current_.connection) return begin();
  if (current_.connection->state() != Connection::State::open) return;
  addresses_.clear();
  shared_.times.clear(*this);
  if (!current_.connection->takes_requests()) {
    const bool was_used = current_.connection->requests() != 0;
    retire();
    if (!was_used) give_all_again();
    if (!waiting_.empty()) begin();
    return;
  }
  while (!waiting_.empty()) {
    auto& request = *waiting_.front();
    if (!current_.connection->submit(request, request.head)) {
      if (current_.connection->takes_requests()) {
        waiting_.pop_front();
        ++shared_.shortages;
        finish(request, {End::How::shortage, false, "there is no memory for an HTTP/2 stream"});
        continue;
      }
      retire();
      return begin();
    }
    waiting_.pop_front();
    request.connection_ = current_.connection.get();
    request.submitted_at_ = shared_.times.now();
    request.is_reuse_ = current_.connection->has_answered();
  }
}

void Channel::retire() {
  retiring_.push_back(std::exchange(current_, {}));
  stirred();
}

void Channel::begin() {
  if (is_looking_up_) return;
  auto literal = literal_address(host_, port_);
  if (!literal.empty()) return found(std::move(literal), "");
  is_looking_up_ = true;
  shared_.lookup.find(host_, port_,
                      [self = self_](std::vector<Address> addresses, const std::string& error) {
                        if (*self == nullptr) return;
                        (*self)->is_looking_up_ = false;
                        (*self)->found(std::move(addresses), error);
                      });
}

void Channel::found(std::vector<Address> addresses, const std::string& error) {
  if (!error.empty()) return fail_waiting(End::How::unreached, "the name is not found: " + error);
  std::erase_if(addresses, [&](const Address& address) { return shared_.refuses(address.any()); });
  if (addresses.empty()) {
    return fail_waiting(End::How::forbidden,
                        "the host has a link-local address, which is not called");
  }
  addresses_ = std::move(addresses);
  // Two rounds, if there is a choice.
  const auto count = addresses_.size();
  for (std::size_t i = 0; count > 1 && i < count; ++i) addresses_.push_back(addresses_[i]);
  next_address_ = 0;
  try_next();
}

void Channel::try_next() {
  std::unique_ptr<Tls> tls;
  if (is_tls_) {
    const auto context = shared_.tls.get(shared_.times.now());
    if (!context) return fail_waiting(End::How::unreached, context.error().detail);
    tls = Tls::make(*context, host_);
    if (!tls) return fail_waiting(End::How::shortage, "OpenSSL has no memory");
  }
  int error = 0;
  const auto& address = addresses_[next_address_];
  const bool is_first_round = next_address_ < addresses_.size() / 2;
  ++next_address_;
  current_.connection =
      Connection::open(shared_.loop, shared_.handles, *this, address.any(), std::move(tls), error);
  if (!current_.connection) {
    const bool is_short = base::is_shortage(error);
    if (is_short) ++shared_.shortages;
    return attempt_failed(is_short ? End::How::shortage : End::How::unreached,
                          std::strerror(error));
  }
  const auto limit = next_address_ == addresses_.size() ? kLastAttemptMillis
                     : is_first_round                   ? kAttemptMillis
                                                        : kSecondAttemptMillis;
  shared_.times.set(*this, shared_.times.now() + limit);
}

void Channel::due() {
  if (!current_.connection || current_.connection->state() != Connection::State::connecting) return;
  current_ = {};
  attempt_failed(End::How::unreached, "the connection took too long");
}

void Channel::attempt_failed(End::How how, const std::string& why) {
  shared_.times.clear(*this);
  if (next_address_ < addresses_.size() && !waiting_.empty()) return try_next();
  addresses_.clear();
  fail_waiting(how, why);
}

void Channel::fail_waiting(End::How how, const std::string& why) {
  // `done` may add requests, which then begin anew.
  for (auto* request : std::exchange(waiting_, {})) finish(*request, {how, false, why});
}

// The streams of a connection that has ended.
void Channel::take_back(Connected& from) {
  const auto why = from.connection->why_ended();
  for (auto* stream : from.connection->abandon()) {
    auto& request = *static_cast<Request*>(stream);
    const bool is_sent = Session::is_sent(request);
    // An old connection that the peer had closed meanwhile: it has not seen this request.
    const bool was_closed_before =
        request.is_reuse_ && from.connection->heard_at() <= request.submitted_at_;
    if ((!is_sent || was_closed_before) && give_again(request)) continue;
    finish(request, {End::How::lost, is_sent, why});
  }
}

bool Channel::give_again(Request& request) {
  if (request.is_repeated_) return false;
  request.is_repeated_ = true;
  add(request);
  return true;
}

// A peer that ends each connection before its first request is asked twice, not without end.
void Channel::give_all_again() {
  for (auto* request : std::exchange(waiting_, {})) {
    if (!give_again(*request))
      finish(*request, {End::How::unreached, false, "the connection takes no requests"});
  }
}

void Channel::ended(Request& request, std::uint32_t code) {
  if (code == NGHTTP2_NO_ERROR) request.connection_->note_answer();
  request.connection_ = nullptr;
  stirred();
  if (code == NGHTTP2_NO_ERROR || code == NGHTTP2_CANCEL)
    return finish(request, {End::How::complete, true, ""});
  const bool is_refused = code == NGHTTP2_REFUSED_STREAM;
  if (is_refused && give_again(request)) return;
  finish(request, {End::How::reset, !is_refused, why_reset(code)});
}

void Channel::expire(Request& request) {
  if (request.connection_ == nullptr) {
    waiting_.erase(request.waits_at_);
    return finish(request, {End::How::timed_out, false, ""});
  }
  const bool is_sent = Session::is_sent(request);
  auto* connection = std::exchange(request.connection_, nullptr);
  connection->cancel(request);
  const bool is_silent = connection->heard_at() <= request.submitted_at_;
  if (is_silent && current_.connection.get() == connection && current_.asked_at == 0) {
    current_.asked_at = shared_.times.now();
    connection->ping();
  }
  finish(request, {End::How::timed_out, is_sent, ""});
}

void Channel::finish(Request& request, End end) {
  shared_.times.clear(request);
  request.channel_ = nullptr;
  request.connection_ = nullptr;
  request.done(std::move(end));  // may destroy the request
}

void Channel::sweep() {
  if (current_.asked_at == 0 || !current_.connection) return;
  if (current_.connection->heard_at() >= current_.asked_at) {
    current_.asked_at = 0;
  } else if (shared_.times.now() - current_.asked_at > shared_.ping_ms) {
    // Its open requests keep their time; new ones get another connection.
    retire();
  }
}

}  // namespace belay::h2
