// Watches of descriptors that come, go and come again as others.
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

#include "hook/watches.h"

namespace belay::test {
namespace {

class Pair {
 public:
  Pair() { REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fds_.data()) == 0); }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  ~Pair() {
    close_ours();
    close_theirs();
  }
  int fd() const { return fds_[0]; }
  // This end gets that number.
  void move_to(int number) {
    if (fds_[0] == number) return;
    REQUIRE(dup2(fds_[0], number) == number);
    ::close(fds_[0]);
    fds_[0] = number;
  }
  void say() const { REQUIRE(write(fds_[1], "x", 1) == 1); }
  void close_ours() { close_one(fds_[0]); }
  void close_theirs() { close_one(fds_[1]); }

 private:
  static void close_one(int& fd) {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
  std::array<int, 2> fds_{-1, -1};
};

struct Seen {
  std::vector<int> ready;
  bool knows_all = true;
};

Seen look(hook::Watches& watches) {
  Seen seen;
  seen.knows_all = watches.look([&](int fd, std::uint8_t) { seen.ready.push_back(fd); });
  return seen;
}

bool is_readable(const hook::Watches& watches) {
  pollfd polled{watches.descriptor(), POLLIN, 0};
  return poll(&polled, 1, 0) > 0;
}

using Fds = std::vector<int>;

}  // namespace

TEST_SUITE("hook/watches") {
  TEST_CASE("what is wanted is told when it is there, until it is not wanted") {
    hook::Watches watches;
    Pair pair;
    watches.opened(pair.fd());
    watches.want(pair.fd(), hook::Watches::kIn);
    CHECK_FALSE(is_readable(watches));
    pair.say();
    CHECK(is_readable(watches));
    CHECK(look(watches).ready == Fds{pair.fd()});
    watches.want(pair.fd(), hook::Watches::kIn | hook::Watches::kOut);
    CHECK(look(watches).ready == Fds{pair.fd()});
    watches.forget(pair.fd());
    CHECK_FALSE(is_readable(watches));
  }

  TEST_CASE("one that its peer closed at rest is told once, and nobody is called for it") {
    hook::Watches watches;
    Pair pair;
    watches.opened(pair.fd());
    watches.want(pair.fd(), hook::Watches::kIn);
    watches.rest(pair.fd());
    pair.close_theirs();
    CHECK(is_readable(watches));
    CHECK(look(watches).ready.empty());
    CHECK_FALSE(is_readable(watches));
    watches.want(pair.fd(), hook::Watches::kIn);
    CHECK(look(watches).ready == Fds{pair.fd()});
  }

  TEST_CASE("closed without a word, its number is free for anybody") {
    hook::Watches watches;
    Pair closed;
    const int number = closed.fd();
    watches.opened(number);
    watches.want(number, hook::Watches::kOut);
    closed.close_ours();
    CHECK_FALSE(is_readable(watches));

    // Somebody else's now: it is neither watched nor taken out of anything.
    Pair stranger;
    stranger.move_to(number);
    stranger.say();
    watches.forget(number);
    CHECK_FALSE(is_readable(watches));
    stranger.close_ours();

    // And then one of ours.
    Pair next;
    next.move_to(number);
    watches.opened(number);
    watches.want(number, hook::Watches::kOut);
    CHECK(look(watches).ready == Fds{number});
  }

  TEST_CASE("what is still wanted of a number is wanted of its next socket") {
    hook::Watches watches;
    Pair closed;
    const int number = closed.fd();
    watches.opened(number);
    watches.want(number, hook::Watches::kOut);
    closed.close_ours();
    Pair next;
    next.move_to(number);
    watches.opened(number);
    CHECK(look(watches).ready == Fds{number});
  }

  TEST_CASE("a socket that another's answer closes is not told of any more") {
    hook::Watches watches;
    Pair one;
    Pair other;
    for (auto* pair : {&one, &other}) {
      watches.opened(pair->fd());
      watches.want(pair->fd(), hook::Watches::kIn);
      pair->say();
    }
    int told = 0;
    CHECK(watches.look([&](int fd, std::uint8_t) {
      ++told;
      auto& victim = fd == one.fd() ? other : one;
      watches.forget(victim.fd());
      victim.close_ours();
    }));
    CHECK(told == 1);
  }

  TEST_CASE("a closed socket that a forked child still has is told of until they are renewed") {
    hook::Watches watches;
    Pair kept;
    Pair closed;
    for (auto* pair : {&kept, &closed}) {
      watches.opened(pair->fd());
      watches.want(pair->fd(), hook::Watches::kIn);
      pair->say();
    }
    const int number = closed.fd();
    const int childs = dup(number);
    closed.close_ours();
    watches.forget(number);
    const auto seen = look(watches);
    CHECK(seen.ready == Fds{kept.fd()});
    CHECK_FALSE(seen.knows_all);
    const int descriptor = watches.descriptor();
    watches.renew();
    CHECK(watches.descriptor() == descriptor);
    const auto again = look(watches);
    CHECK(again.ready == Fds{kept.fd()});
    CHECK(again.knows_all);
    ::close(childs);
  }
}

}  // namespace belay::test
