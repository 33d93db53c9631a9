#include "names/dns_question.h"

#include <ares.h>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>

#include <algorithm>
#include <array>
#include <utility>

namespace belay::names {
namespace {

constexpr int kTryMillis = 1'000;  // for the first try of one server; c-ares doubles it
constexpr int kTries = 3;
constexpr std::uint64_t kLimitMillis = 9'000;  // for all of it, whatever c-ares is doing
constexpr std::size_t kRecordBytes = 10;       // type, class, TTL and length, after the name
constexpr std::size_t kHeaderBytes = 12;
constexpr std::size_t kAskedBytes = 4;  // type and class, after the name that was asked for

unsigned short_at(const unsigned char* at) { return static_cast<unsigned>(at[0] << 8 | at[1]); }

// Steps over a name in a message; negative: it is malformed.
long name_bytes(const unsigned char* at, const unsigned char* message, int size) {
  char* name = nullptr;
  long length = 0;
  if (ares_expand_name(at, message, size, &name, &length) != ARES_SUCCESS) return -1;
  ares_free_string(name);
  return length;
}

}  // namespace

std::optional<std::uint32_t> least_dns_ttl(const unsigned char* message, int size) {
  if (size < static_cast<int>(kHeaderBytes)) return std::nullopt;
  const auto* const end = message + size;
  const auto questions = short_at(message + 4);
  const auto answers = short_at(message + 6);
  const auto* at = message + kHeaderBytes;
  // What stands after a name; null: it is not all there.
  const auto after_name = [&](std::size_t bytes) -> const unsigned char* {
    const auto length = at < end ? name_bytes(at, message, size) : -1;
    if (length < 0 || end - at < length + static_cast<long>(bytes)) return nullptr;
    return at + length;
  };
  for (unsigned i = 0; i < questions; ++i) {
    const auto* rest = after_name(kAskedBytes);
    if (rest == nullptr) return std::nullopt;
    at = rest + kAskedBytes;
  }
  std::optional<std::uint32_t> least;
  for (unsigned i = 0; i < answers; ++i) {
    const auto* rest = after_name(kRecordBytes);
    if (rest == nullptr) return std::nullopt;
    const auto ttl = std::uint32_t{short_at(rest + 4)} << 16 | short_at(rest + 6);
    const auto bytes = static_cast<long>(short_at(rest + 8));
    at = rest + kRecordBytes;
    if (end - at < bytes) return std::nullopt;
    at += bytes;
    least = std::min(least.value_or(ttl), ttl);
  }
  return least;
}

DnsQuestion::DnsQuestion(const Site& site, const Name& name, std::function<void(DnsAnswer)> done)
    : site_(site), name_(name), done_(std::move(done)), limit_(site.timers), end_(site.timers) {
  begin();
}

DnsQuestion::~DnsQuestion() { is_ending_ = true; }

void DnsQuestion::begin() {
  auto channel = dns::Channel::open(
      site_.loop, {.try_ms = kTryMillis,
                   .tries = kTries,
                   .server = name_.places.empty() ? "" : text_of(name_.places.front())});
  if (!channel) {
    answer_.error = channel.error().detail;
    return end();
  }
  channel_ = std::move(*channel);
  limit_.set(kLimitMillis, [this] {
    answer_.error = "no name server has answered";
    end();
  });
  channel_->ask([this](ares_channeldata* asked) {
    if (name_.source == Source::dns_srv) {
      ares_query(asked, name_.name.c_str(), ns_c_in, ns_t_srv, &DnsQuestion::on_records, this);
      return;
    }
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = ARES_AI_NOSORT;
    ares_getaddrinfo(asked, name_.name.c_str(), nullptr, &hints, &DnsQuestion::on_addresses, this);
  });
}

bool DnsQuestion::has_answer(int status) {
  if (status == ARES_SUCCESS) return true;
  // That there is no such name, or nothing of this kind, is an answer.
  if (status != ARES_ENOTFOUND && status != ARES_ENODATA) answer_.error = ares_strerror(status);
  return false;
}

void DnsQuestion::on_addresses(void* data, int status, int, ares_addrinfo* found) noexcept {
  auto& self = *static_cast<DnsQuestion*>(data);
  if (!self.is_ending_) {
    if (self.has_answer(status)) self.take_addresses(*found);
    self.end();
  }
  if (found != nullptr) ares_freeaddrinfo(found);
}

void DnsQuestion::take_addresses(const ares_addrinfo& found) {
  int ttl = INT32_MAX;
  for (const auto* node = found.nodes; node != nullptr; node = node->ai_next) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const void* address =
        node->ai_family == AF_INET
            ? static_cast<const void*>(&reinterpret_cast<sockaddr_in*>(node->ai_addr)->sin_addr)
            : &reinterpret_cast<sockaddr_in6*>(node->ai_addr)->sin6_addr;
    if (inet_ntop(node->ai_family, address, text.data(), text.size()) == nullptr) continue;
    ttl = std::min(ttl, node->ai_ttl);
    if (answer_.endpoints.size() <= kEndpointsMax)
      answer_.endpoints.push_back({.host = text.data(), .port = name_.port});
  }
  answer_.ttl_s = static_cast<std::uint32_t>(std::max(ttl, 0));
}

void DnsQuestion::on_records(void* data, int status, int, unsigned char* message,
                             int size) noexcept {
  auto& self = *static_cast<DnsQuestion*>(data);
  if (self.is_ending_) return;
  if (self.has_answer(status)) self.take_records(message, size);
  self.end();
}

void DnsQuestion::take_records(const unsigned char* message, int size) {
  ares_srv_reply* records = nullptr;
  const auto ttl = least_dns_ttl(message, size);
  const int status = ares_parse_srv_reply(message, size, &records);
  if (!ttl || (status != ARES_SUCCESS && status != ARES_ENODATA)) {
    answer_.error = "the answer cannot be read";
  } else {
    answer_.ttl_s = *ttl;
  }
  for (const auto* record = records; record != nullptr; record = record->next) {
    // "." as the only target says that the service is not available there.
    if (record->host[0] == '\0' || answer_.endpoints.size() > kEndpointsMax) continue;
    answer_.endpoints.push_back({.host = record->host,
                                 .port = record->port,
                                 .weight = std::max<std::uint32_t>(record->weight, 1),
                                 .priority = record->priority});
  }
  if (records != nullptr) ares_free_data(records);
}

// Later, because a channel cannot be destroyed within its own callbacks.
void DnsQuestion::end() {
  is_ending_ = true;
  limit_.clear();
  end_.set(0, [this] {
    const auto done = std::move(done_);
    done(std::move(answer_));
  });
}

}  // namespace belay::names
