// The pool's watch over connections whose client library does with its socket what it likes.
#include "xa/pool.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>

using namespace belay;
using namespace std::chrono_literals;

namespace {

// A connection that only has a socket.
class SocketOnly final : public xa::Session {
 public:
  explicit SocketOnly(int fd) : fd_(fd) {}
  bool usable() const override { return false; }
  int socket() const override { return fd_; }
  Result<> make_ready() override { return {}; }
  Result<> bound(const xa::Bounds&) override { return {}; }
  Result<bool> is_prepared(const xa::Xid&) override { return false; }
  Result<xa::Row> row(const xa::Key&) override { return xa::Row::absent; }
  Result<xa::Inserted> bar(const xa::Key&) override { return xa::Inserted::yes; }
  Result<xa::Inserted> begin(const xa::Xid&) override { return xa::Inserted::yes; }
  Result<xa::Inserted> guard(const xa::Key&) override { return xa::Inserted::yes; }
  Outcome work(const Call&, const xa::Work&) override { return Outcome::success(); }
  Result<> prepare(const xa::Xid&) override { return {}; }
  void abandon(const xa::Xid&) override {}
  Result<xa::Ended> commit(const xa::Xid&) override { return xa::Ended::yes; }
  Result<xa::Ended> roll_back(const xa::Xid&) override { return xa::Ended::yes; }
  Result<std::vector<PreparedXa>> list(std::string_view) override {
    return std::vector<PreparedXa>();
  }

 private:
  int fd_;
};

class Connects final : public xa::Connector {
 public:
  explicit Connects(int fd) : fd_(fd) {}
  Result<std::unique_ptr<xa::Session>> connect() const override {
    return std::unique_ptr<xa::Session>(std::make_unique<SocketOnly>(fd_));
  }

 private:
  int fd_;
};

bool is_cut(int fd, int timeout_ms) {
  pollfd polled{fd, POLLRDHUP, 0};
  return poll(&polled, 1, timeout_ms) > 0;
}

}  // namespace

TEST_SUITE("unit/xa") {
  TEST_CASE("a call that takes too long is cut off, not who has its socket's number by now") {
    int connection[2];
    int stranger[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, connection) == 0);
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, stranger) == 0);
    std::promise<bool> hit;
    {
      const auto pool =
          *xa::Pool::make(std::make_unique<Connects>(connection[0]), nullptr, {1, 1ms});
      // The client library closes the socket, and somebody opens one.
      const auto run = [&](xa::Session&) {
        dup2(stranger[0], connection[0]);
        ::close(stranger[0]);
        // Who cuts off the number hits the stranger's; else the database's end hears of the cut.
        constexpr int kLong = 3'000;
        const bool let_go = is_cut(connection[1], 0);
        const bool cut = !let_go && is_cut(connection[1], 10 * kLong);
        hit.set_value(is_cut(connection[0], cut ? 0 : kLong));
        return Outcome::success();
      };
      pool->add({xa::Phase::second, "x", 200ms, run, Reply(nullptr)});
      CHECK_FALSE(hit.get_future().get());
    }
    CHECK(is_cut(connection[1], 0));
    for (const int fd : {connection[0], connection[1], stranger[1]}) ::close(fd);
  }
}
