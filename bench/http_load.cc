#include "http_load.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "belay/engine.h"
#include "http_text.h"
#include "machine.h"

namespace belay::bench {
namespace {

constexpr int kSilenceMs = 60'000;
constexpr std::size_t kAnswerBytes = 64 * 1024;
constexpr std::size_t kShownBytes = 200;

Error system_error(std::string_view what) {
  return {ErrorCode::storage, fmt::format("{}: {}", what, std::strerror(errno))};
}

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  address.sin_port = ::htons(port);
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) return fd;
  ::close(fd);
  return -1;
}

class HttpLoad {
 public:
  HttpLoad(const Settings& settings, std::uint16_t port, const Branches& branches,
           std::function<double()> cpu_seconds);
  HttpLoad(const HttpLoad&) = delete;
  HttpLoad& operator=(const HttpLoad&) = delete;
  ~HttpLoad();

  Result<> run();
  ServedResults results() { return loop_.end(); }

 private:
  // A request without its gid; all gids have the same length.
  struct Letter {
    std::string before, after;
  };
  struct Connection {
    int fd = -1;
    std::string gid;
    bool failing = false;
    std::uint64_t sent_ns = 0;
    std::string in;
  };
  Letter letter_ending_with(Path last, const Branches& branches) const;
  Result<> connect_all();
  Result<> submit_next(Connection& connection);
  Result<> read_from(Connection& connection);
  Result<> take_answer(Connection& connection, int status, std::string_view body);

  const Settings settings_;
  const std::uint16_t port_;
  ServedLoop loop_;
  const Letter succeeding_letter_, failing_letter_;
  std::vector<Connection> connections_;
  int epoll_ = -1;
  std::string out_, body_;
};

HttpLoad::HttpLoad(const Settings& settings, std::uint16_t port, const Branches& branches,
                   std::function<double()> cpu_seconds)
    : settings_(settings),
      port_(port),
      loop_(settings, std::move(cpu_seconds)),
      succeeding_letter_(letter_ending_with(Path::to_do, branches)),
      failing_letter_(letter_ending_with(Path::to_refuse, branches)) {}

HttpLoad::~HttpLoad() {
  for (const auto& connection : connections_) ::close(connection.fd);
  if (epoll_ >= 0) ::close(epoll_);
}

HttpLoad::Letter HttpLoad::letter_ending_with(Path last, const Branches& branches) const {
  nlohmann::json steps, payloads;
  for (std::uint32_t i = 1; i <= settings_.branches; ++i) {
    const auto path = i == settings_.branches ? last : Path::to_do;
    steps.push_back({{"action", branches.url(path)}, {"compensate", branches.url(Path::to_undo)}});
    payloads.push_back(std::string(settings_.payload_bytes, 'x'));
  }
  const auto gid = new_gid();
  const nlohmann::json body = {
      {"gid", gid},          {"trans_type", "saga"},
      {"steps", steps},      {"payloads", payloads},
      {"wait_result", true}, {"request_timeout", kCalledTimeout.count() / 1000}};
  const auto text = body.dump();
  const auto request = fmt::format(
      "POST /api/dtmsvr/submit HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n"
      "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
      port_, text.size(), text);
  const auto at = request.find(gid);
  return {request.substr(0, at), request.substr(at + gid.size())};
}

Result<> HttpLoad::connect_all() {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) return system_error("epoll");
  for (std::uint32_t i = 0; i < settings_.connections; ++i) {
    const int fd = connect_to(port_);
    if (fd < 0) return system_error("cannot connect to the server");
    connections_.push_back({});
    connections_.back().fd = fd;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = i;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) return system_error("epoll");
  }
  return {};
}

Result<> HttpLoad::run() {
  BELAY_TRY(connect_all());
  loop_.begin();
  for (auto& connection : connections_) {
    if (loop_.may_submit(now_ns())) BELAY_TRY(submit_next(connection));
  }
  std::array<epoll_event, 256> events;
  while (!loop_.finished()) {
    const int count =
        ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), kSilenceMs);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return Error{ErrorCode::storage, "the server does not answer any more"};
    for (int i = 0; i < count; ++i) {
      BELAY_TRY(read_from(connections_[events[static_cast<std::size_t>(i)].data.u32]));
    }
  }
  return {};
}

Result<> HttpLoad::submit_next(Connection& connection) {
  connection.failing = loop_.submit_one();
  connection.gid = new_gid();
  connection.sent_ns = now_ns();
  const auto& letter = connection.failing ? failing_letter_ : succeeding_letter_;
  out_.assign(letter.before).append(connection.gid).append(letter.after);
  // The server has read everything before it answered: there is room in the socket, or the server
  // goes on reading.
  for (std::size_t at = 0; at < out_.size();) {
    const auto sent = ::send(connection.fd, out_.data() + at, out_.size() - at, MSG_NOSIGNAL);
    if (sent <= 0) return system_error("cannot send to the server");
    at += static_cast<std::size_t>(sent);
  }
  return {};
}

Result<> HttpLoad::read_from(Connection& connection) {
  std::array<char, kAnswerBytes> chunk;
  const auto got = ::recv(connection.fd, chunk.data(), chunk.size(), 0);
  if (got <= 0) return Error{ErrorCode::storage, "the server closed a connection"};
  connection.in.append(chunk.data(), static_cast<std::size_t>(got));
  HttpMessage answer;
  switch (read_message(connection.in, answer)) {
    case HttpRead::partly: return {};
    case HttpRead::broken: return Error{ErrorCode::storage, "the server's answer is no HTTP"};
    case HttpRead::whole: break;
  }
  const auto word = answer.word(1);
  int status = 0;
  std::from_chars(word.data(), word.data() + word.size(), status);
  body_.assign(answer.body);
  connection.in.erase(0, answer.bytes);
  return take_answer(connection, status, body_);
}

Result<> HttpLoad::take_answer(Connection& connection, int status, std::string_view body) {
  const auto now = now_ns();
  if (status != (connection.failing ? 409 : 200)) {
    return Error{ErrorCode::storage,
                 fmt::format("the server answered {} where {} was to be: {}", status,
                             connection.failing ? 409 : 200, body.substr(0, kShownBytes))};
  }
  loop_.take_end(connection.gid, connection.failing, connection.sent_ns, now);
  return loop_.may_submit(now) ? submit_next(connection) : Result<>();
}

}  // namespace

Result<ServedResults> load_by_http(const Settings& settings, std::uint16_t port,
                                   const Branches& branches, std::function<double()> cpu_seconds) {
  HttpLoad load(settings, port, branches, std::move(cpu_seconds));
  BELAY_TRY(load.run());
  return load.results();
}

}  // namespace belay::bench
