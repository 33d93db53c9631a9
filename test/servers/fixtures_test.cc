// The servers the other tests rely on: they come up, come back after kill -9, and leave nothing.
#include <doctest/doctest.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "servers/mariadb_server.h"
#include "servers/postgres_server.h"
#include "support/process.h"

namespace belay::test {
namespace {

using namespace belay::servers;

// Goal: what a test takes for granted of its server.
// Method: each way of ending it, then another start; the process and the folder are looked for.
template <class Server>
void check_life() {
  std::string folder;
  pid_t last = -1;
  {
    Server server({.tcp = true, .durable = true, .read_committed = true});
    folder = server.process().folder();
    CHECK(std::filesystem::exists(folder));
    const pid_t first = server.process().pid();
    server.kill9();
    CHECK(is_gone(first));
    CHECK(!server.process().running());
    server.restart();
    const pid_t second = server.process().pid();
    CHECK(second != first);
    server.restart();
    CHECK(is_gone(second));
    last = server.process().pid();
    CHECK(!is_gone(last));
  }
  CHECK(is_gone(last));
  CHECK(!std::filesystem::exists(folder));
}

// Runs `body` in a process that is then killed; returns the pid that `body` told.
template <class Body>
pid_t pid_told_by_killed_process(Body body) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const pid_t told = body();
    if (::write(ends[1], &told, sizeof(told)) != sizeof(told)) ::_exit(1);
    for (;;) ::pause();
  }
  pid_t told = -1;
  CHECK(::read(ends[0], &told, sizeof(told)) == sizeof(told));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ends[0]);
  ::close(ends[1]);
  return told;
}

}  // namespace

TEST_SUITE("servers/fixtures") {
  TEST_CASE("a PostgreSQL server comes up, comes back after kill -9, and leaves nothing") {
    check_life<PostgresServer>();
  }

  TEST_CASE("a MariaDB server comes up, comes back after kill -9, and leaves nothing") {
    check_life<MariaDbServer>();
  }

  TEST_CASE("a server in a folder that is kept goes on with what it had") {
    const TempDir dir;
    // Servers of root run as somebody else.
    std::filesystem::permissions(dir.path(), std::filesystem::perms::others_exec,
                                 std::filesystem::perm_options::add);
    for (int i = 0; i < 2; ++i) {
      PostgresServer postgresql({.folder = dir.file("postgresql")});
      MariaDbServer mariadb({.folder = dir.file("mariadb")});
      CHECK(std::filesystem::exists(dir.file("postgresql/mark")) == (i == 1));
      for (const char* place : {"postgresql/mark", "mariadb/data/mark"}) {
        std::filesystem::create_directory(dir.file(place));
      }
    }
    CHECK(std::filesystem::exists(dir.file("mariadb/data/mark")));
  }

  TEST_CASE("a program that is not there is named") {
    ServerProcess process;
    CHECK_THROWS_AS(find_program({"/nowhere/*/postgres"}), std::runtime_error);
    CHECK_THROWS_AS(process.run({"/nowhere/postgres"}), std::runtime_error);
  }

  TEST_CASE("what a server said before it died is shown") {
    ServerProcess process;
    try {
      process.start({"/bin/ls", "/nowhere"}, "ready", SIGKILL);
      FAIL("ls is no server");
    } catch (const std::runtime_error& error) {
      CHECK(std::string(error.what()).find("/nowhere") != std::string::npos);
    }
  }

  TEST_CASE("a server dies with the program that started it") {
    TempDir folders;  // the killed program cannot remove its own
    const pid_t server = pid_told_by_killed_process([&folders] {
      ::setenv("TMPDIR", folders.path().c_str(), 1);
      static ServerProcess process;
      process.start({"/bin/sh", "-c", "echo ready; while :; do sleep 1; done"}, "ready", SIGKILL);
      return process.pid();
    });
    REQUIRE(server > 0);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!is_gone(server) && std::chrono::steady_clock::now() < deadline) ::poll(nullptr, 0, 5);
    CHECK(is_gone(server));
  }
}

}  // namespace belay::test
