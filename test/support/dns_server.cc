#include "support/dns_server.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>

namespace belay::test {
namespace {

constexpr std::size_t kHeadBytes = 12;

void append_short(std::string& out, unsigned value) {
  out.push_back(static_cast<char>(value >> 8));
  out.push_back(static_cast<char>(value & 0xff));
}

void append_name(std::string& out, const std::string& name) {
  std::size_t begin = 0;
  while (begin < name.size()) {
    const auto end = std::min(name.find('.', begin), name.size());
    out.push_back(static_cast<char>(end - begin));
    out += name.substr(begin, end - begin);
    begin = end + 1;
  }
  out.push_back('\0');
}

unsigned read_short(const std::string& text, std::size_t at) {
  const auto high = static_cast<unsigned>(static_cast<unsigned char>(text[at]));
  return high << 8 | static_cast<unsigned char>(text[at + 1]);
}

}  // namespace

DnsRecord address_record(const std::string& ipv4, std::uint32_t ttl) {
  in_addr address{};
  REQUIRE(inet_pton(AF_INET, ipv4.c_str(), &address) == 1);
  return {kTypeA, ttl, std::string(reinterpret_cast<const char*>(&address), sizeof address)};
}

DnsRecord srv_record(std::uint16_t priority, std::uint16_t weight, std::uint16_t port,
                     const std::string& host, std::uint32_t ttl) {
  DnsRecord record{kTypeSrv, ttl, {}};
  append_short(record.data, priority);
  append_short(record.data, weight);
  append_short(record.data, port);
  append_name(record.data, host);
  return record;
}

DnsServer::DnsServer() {
  socket_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(socket_, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  REQUIRE(::pipe(stop_pipe_) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

DnsServer::~DnsServer() {
  ::close(stop_pipe_[1]);
  thread_.join();
  ::close(stop_pipe_[0]);
  ::close(socket_);
}

void DnsServer::say(DnsReply reply) {
  const std::lock_guard lock(mutex_);
  reply_ = std::move(reply);
}

void DnsServer::serve() {
  while (true) {
    std::array<pollfd, 2> waits{{{socket_, POLLIN, 0}, {stop_pipe_[0], POLLIN, 0}}};
    ::poll(waits.data(), waits.size(), -1);
    if (waits[1].revents != 0) return;
    std::array<char, 512> bytes{};
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const auto got = ::recvfrom(socket_, bytes.data(), bytes.size(), 0,
                                reinterpret_cast<sockaddr*>(&from), &size);
    if (got < static_cast<ssize_t>(kHeadBytes)) continue;
    const auto answer = answer_to({bytes.data(), static_cast<std::size_t>(got)});
    ++asked_;
    if (answer.empty()) continue;
    static_cast<void>(::sendto(socket_, answer.data(), answer.size(), 0,
                               reinterpret_cast<sockaddr*>(&from), size) != 0);
  }
}

std::string DnsServer::answer_to(const std::string& question) {
  const std::lock_guard lock(mutex_);
  auto end = question.find('\0', kHeadBytes);  // of the name
  if (reply_.kind == DnsReply::Kind::silence || end == std::string::npos) return {};
  const auto type = read_short(question, end + 1);
  end += 5;
  std::string records;
  unsigned count = 0;
  for (const auto& record : reply_.records) {
    if (record.type != type) continue;
    ++count;
    append_short(records, 0xc000 | kHeadBytes);  // the name that was asked for
    append_short(records, record.type);
    append_short(records, 1);
    append_short(records, record.ttl >> 16);
    append_short(records, record.ttl & 0xffff);
    append_short(records, static_cast<unsigned>(record.data.size()));
    records += record.data;
  }
  unsigned flags = 0x8180;
  if (reply_.kind == DnsReply::Kind::no_such_name) flags |= 3;
  if (reply_.kind == DnsReply::Kind::broken) flags |= 2;
  if (reply_.kind == DnsReply::Kind::cut_off) flags |= 0x200;
  auto out = question.substr(0, 2);
  append_short(out, flags);
  append_short(out, 1);
  append_short(out, count);
  append_short(out, 0);
  append_short(out, 0);
  out += question.substr(kHeadBytes, end - kHeadBytes) + records;
  if (reply_.kind == DnsReply::Kind::garbage) {
    for (std::size_t i = end; i < out.size(); ++i) out[i] = '\xff';
    out.resize(out.size() - out.size() / 4);
  }
  return out;
}

}  // namespace belay::test
