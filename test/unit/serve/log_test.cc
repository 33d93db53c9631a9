// The server's log, and a reader that stops reading.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>

#include "serve/log.h"

using namespace std::chrono_literals;

namespace belay::tool {
namespace {

class LogPipe {
 public:
  LogPipe() {
    std::signal(SIGPIPE, SIG_IGN);  // as the command has it
    REQUIRE(pipe2(ends_.data(), O_CLOEXEC) == 0);
  }
  ~LogPipe() {
    close(ends_[0]);
    close_writing();
  }
  int fd() const { return ends_[1]; }
  void close_writing() {
    if (ends_[1] >= 0) close(ends_[1]);
    ends_[1] = -1;
  }
  // What there is up to `end`, waiting for it.
  std::string read_to(const std::string& end) const {
    std::string text;
    std::array<char, 65'536> piece{};
    while (text.find(end) == text.npos) {
      const auto size = read(ends_[0], piece.data(), piece.size());
      if (size <= 0) break;
      text.append(piece.data(), static_cast<std::size_t>(size));
    }
    return text;
  }

 private:
  std::array<int, 2> ends_{};
};

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_SUITE("serve/log") {
  TEST_CASE("lines are written in order, and a flush waits for them") {
    const LogPipe pipe;
    ServeLog log(LogFormat::text, LogLevel::info, pipe.fd());
    log.info("first", {{"key", "value"}});
    log.write(LogLevel::debug, "not wanted");
    log.warning("last one");
    REQUIRE(log.flush(60s));
    const auto text = pipe.read_to("last one");
    CHECK(text.find("info    first key=value\n") < text.find("warning last one\n"));
    CHECK(count_of(text, "not wanted") == 0);
  }

  TEST_CASE("no value makes another line or another field") {
    const std::string evil =
        "g\n2026 error gid=x\",\"gid\":\"y token=z \x1b[2J \x7f \xc2\x9b \xe2\x80\xa8 \xe2\x80\xae "
        "\xff";
    for (const auto format : {LogFormat::text, LogFormat::json}) {
      const LogPipe pipe;
      ServeLog log(format, LogLevel::info, pipe.fd());
      log.info(evil, {{"path", evil}});
      ServeLog::sink({.level = LogLevel::info, .text = "gid=g is stuck", .gid = evil}, &log);
      log.info("end");
      const auto text = pipe.read_to("end");
      CHECK(count_of(text, "\n") <= 3);
      for (const auto* raw : {"\x1b", "\x7f", "\xc2\x9b", "\xe2\x80\xa8", "\xe2\x80\xae", "\xff"})
        CHECK(count_of(text, raw) == 0);
    }
    const LogPipe pipe;
    ServeLog log(LogFormat::text, LogLevel::info, pipe.fd());
    log.info("denied", {{"path", "/a token=b \"c\\"}, {"token", ""}, {"gid", "g=1"}});
    CHECK(count_of(pipe.read_to("gid"), R"(denied path="/a token=b \"c\\" token= gid=g=1)") == 1);
  }

  TEST_CASE("a JSON line has the engine's fields beside the message") {
    const LogPipe pipe;
    ServeLog log(LogFormat::json, LogLevel::info, pipe.fd());
    ServeLog::sink({.level = LogLevel::warning,
                    .text = "gid=g is stuck: down",
                    .gid = "g",
                    .branch_id = "01",
                    .op = "action",
                    .error = "do\nwn",
                    .trace = "4bf9"},
                   &log);
    log.info("end");
    CHECK(count_of(pipe.read_to("end"),
                   R"("level":"warning","message":"gid=g is stuck: down","gid":"g","branch":"01",)"
                   R"("op":"action","error":"do\nwn","trace":"4bf9"})") == 1);
  }

  TEST_CASE(
      "a log that nobody reads drops lines, counts them, and tells how many once it is read") {
    const LogPipe pipe;
    ServeLog log(LogFormat::text, LogLevel::info, pipe.fd());
    const std::string filler(1'000, 'x');
    constexpr int kLines = 5'000;  // 5 MB: the queue and the pipe together hold less
    for (int i = 0; i < kLines; ++i) log.info(filler);
    const auto dropped = log.dropped();
    CHECK(dropped > kLines / 2);
    CHECK(dropped < kLines);
    CHECK_FALSE(log.flush(1ms));
    const auto told = std::to_string(dropped) + " lines of the log were lost";
    const auto text = pipe.read_to(told);
    CHECK(count_of(text, filler) == kLines - dropped);
    CHECK(count_of(text, told) == 1);
    REQUIRE(log.flush(60s));
    log.info("goes on");
    CHECK(count_of(pipe.read_to("goes on"), "lost") == 0);
    CHECK(log.dropped() == dropped);
  }

  TEST_CASE("lines that a full disk refuses are counted, and told when there is room") {
    const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    REQUIRE(full >= 0);
    {
      LogQueue queue(full, [](std::uint64_t) { return std::string("lost\n"); });
      queue.add("one\ntwo\n");
      const auto until = std::chrono::steady_clock::now() + 60s;
      while (queue.dropped() < 2 && std::chrono::steady_clock::now() < until)
        std::this_thread::yield();
      CHECK(queue.dropped() == 2);
      queue.add("three\n");
      CHECK(queue.dropped() == 3);
      CHECK_FALSE(queue.flush(1ms));
    }
    close(full);
  }

  TEST_CASE("what is held is bounded in bytes") {
    const LogPipe pipe;
    LogQueue queue(pipe.fd(), [](std::uint64_t) { return std::string(); });
    queue.add(std::string(LogQueue::kBytesMax + 1, 'x'));
    CHECK(queue.dropped() == 1);
  }

  TEST_CASE("the end does not wait for a reader that is gone or asleep") {
    const LogPipe asleep;
    {
      ServeLog log(LogFormat::json, LogLevel::info, asleep.fd());
      for (int i = 0; i < 200; ++i) log.info(std::string(1'000, 'x'));
    }
    LogPipe closed;
    const int none = closed.fd();
    closed.close_writing();
    ServeLog log(LogFormat::text, LogLevel::info, none);
    log.info("into nothing");
    CHECK(log.flush(60s));
  }
}

}  // namespace belay::tool
