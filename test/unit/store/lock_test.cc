#include <doctest/doctest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "belay/reader.h"
#include "store/lock_file.h"
#include "support/process.h"
#include "unit/store/story.h"

using namespace belay;
using namespace belay::test;

namespace {

Result<std::unique_ptr<store::Journal>> try_open(const std::string& path) {
  store::JournalConfig config;
  config.path = path;
  return store::Journal::open(config);
}

void check_locked(const std::string& path, const std::string& holder) {
  const auto second = try_open(path);
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().code == ErrorCode::locked);
  CHECK(second.error().detail.find(holder) != std::string::npos);
}

// A process that holds a state file until it is killed.
class Holder {
 public:
  explicit Holder(const std::string& path) {
    std::array<int, 2> ends{};
    REQUIRE(pipe(ends.data()) == 0);
    pid_ = fork();
    if (pid_ == 0) {
      const auto journal = try_open(path);
      const char said = journal ? 'y' : 'n';
      const bool told = write(ends[1], &said, 1) == 1;
      while (told) pause();
      _exit(1);
    }
    close(ends[1]);
    char said = 'n';
    const bool heard = read(ends[0], &said, 1) == 1;
    close(ends[0]);
    REQUIRE(heard);
    REQUIRE(said == 'y');
  }
  ~Holder() { kill_it(); }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

  void kill_it() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(std::exchange(pid_, 0), nullptr, 0);
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
};

}  // namespace

TEST_SUITE("store/lock") {
  TEST_CASE("a new file and what lies beside it are their owner's alone, or as the option says") {
    for (const std::uint32_t mode : {0600U, 0640U, 0666U}) {
      for (const mode_t mask : {0000U, 0022U, 0077U}) {
        const TempDir directory;
        const auto path = directory.file("state.db");
        const auto before = umask(mask);
        store::JournalConfig config;
        config.path = path;
        config.file_mode = mode;
        const auto journal = store::Journal::open(config);
        umask(before);
        REQUIRE(journal.has_value());
        for (const auto* beside : {"", "-wal", "-shm", "-lock"}) {
          CAPTURE(beside);
          struct stat found {};
          REQUIRE(stat((path + beside).c_str(), &found) == 0);
          CHECK((found.st_mode & 0777U) == mode);
        }
      }
    }
  }

  TEST_CASE("an existing file keeps its permissions") {
    const TempDir directory;
    const auto path = directory.file("state.db");
    open_journal(path);
    REQUIRE(chmod(path.c_str(), 0644) == 0);
    open_journal(path);
    struct stat found {};
    REQUIRE(stat(path.c_str(), &found) == 0);
    CHECK((found.st_mode & 0777U) == 0644);
  }

  TEST_CASE("a second journal in the same process is refused, by whatever path it comes") {
    const TempDir directory;
    const auto path = directory.file("state.db");
    const auto link = directory.file("link.db");
    const auto folder = directory.file("folder");
    std::filesystem::create_symlink("state.db", link);  // before the file exists
    std::filesystem::create_directory_symlink(".", folder);
    const auto holder = "pid " + std::to_string(getpid()) + " on ";
    const auto first = open_journal(link);
    CHECK(std::filesystem::exists(path));
    check_locked(path, holder);
    check_locked(link, holder);
    check_locked(folder + "/state.db", holder);
    check_locked(directory.path() + "/.//folder/./link.db", holder);
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(directory.path());
    check_locked("state.db", holder);
    std::filesystem::current_path(before);
  }

  TEST_CASE("a closed journal has let go") {
    const TempDir directory;
    const auto path = directory.file("state.db");
    const auto first = open_journal(path);
    CHECK(first->close().has_value());
    CHECK(store::lock_holder(path) == "");
    CHECK(try_open(path).has_value());
  }

  TEST_CASE("another process is refused, and a dead holder's lock vanishes with it") {
    const TempDir directory;
    const auto path = directory.file("state.db");
    Holder holder(path);
    check_locked(path, "pid " + std::to_string(holder.pid()) + " on ");
    const auto canonical = store::canonical_path(path);
    REQUIRE(canonical.has_value());
    const auto named = store::lock_holder(*canonical);
    CHECK(named.rfind("pid " + std::to_string(holder.pid()) + " on ", 0) == 0);
    CHECK(named.find(" since 20") != std::string::npos);
    CHECK(named.back() == 'Z');
    holder.kill_it();
    CHECK(store::lock_holder(*canonical) == "");
    CHECK(try_open(path).has_value());
  }

  TEST_CASE("asking who holds the lock takes nothing") {
    const TempDir directory;
    const auto path = directory.file("state.db");
    CHECK(store::lock_holder(path) == "");
    CHECK_FALSE(std::filesystem::exists(path + "-lock"));
    const auto first = open_journal(path);
    CHECK(store::lock_holder(path) != "");
    check_locked(path, "pid ");
    CHECK(first->close().has_value());
    CHECK(store::lock_holder(path) == "");
    CHECK(try_open(path).has_value());
  }

  TEST_CASE("no way past the lock: its file removed or replaced, the state file renamed") {
    const TempDir directory;
    const auto path = directory.file("state.db");
    const auto lock = path + "-lock";
    const auto moved = directory.file("moved.db");
    const auto journal = open_journal(path);
    std::filesystem::remove(lock);
    check_locked(path, "another engine");
    check_locked(path, "another engine");  // the second lock file was left by the first try
    std::ofstream(directory.file("new")) << "";
    std::filesystem::rename(directory.file("new"), lock);
    check_locked(path, "another engine");
    std::filesystem::rename(path, moved);
    check_locked(moved, "another engine");
    std::filesystem::rename(moved, path);
    Story story;
    story.submit("g");
    commit(*journal, story.batch());
  }

  TEST_CASE("a lock file that is a symbolic link is refused, and what it points at is left alone") {
    const TempDir directory;
    const auto path = directory.file("state.db");
    std::ofstream(directory.file("precious")) << "content";
    std::filesystem::create_symlink("precious", path + "-lock");
    const auto journal = try_open(path);
    REQUIRE_FALSE(journal.has_value());
    CHECK(journal.error().code == ErrorCode::misplaced);
    CHECK(journal.error().detail.find("symbolic link: remove it") != std::string::npos);
    CHECK(std::filesystem::file_size(directory.file("precious")) == 7);
    CHECK_FALSE(std::filesystem::exists(path));
    CHECK(store::lock_holder(path) == "");
  }

  TEST_CASE("a file with a second name is refused by either, and taken when that is gone") {
    const TempDir directory;
    const auto path = directory.file("state.db");
    const auto other = directory.file("other.db");
    CHECK(open_journal(path)->close().has_value());
    std::filesystem::create_hard_link(path, other);
    for (const auto& name : {path, other}) {
      const auto journal = try_open(name);
      REQUIRE_FALSE(journal.has_value());
      CHECK(journal.error().code == ErrorCode::misplaced);
      CHECK(journal.error().detail.find("2 names (hard links)") != std::string::npos);
    }
    std::filesystem::remove(other);
    const auto journal = open_journal(path);
    std::filesystem::create_hard_link(path, other);  // under a live engine
    CHECK_FALSE(try_open(other).has_value());
    Story story;
    story.submit("g");
    commit(*journal, story.batch());
  }

  TEST_CASE("a file that is mounted by itself is refused, a folder that is mounted is not") {
    const TempDir directory;
    const auto path = directory.file("state.db");
    CHECK(open_journal(path)->close().has_value());
    const auto inside = directory.file("inside.db");
    const auto folder = directory.file("folder");
    std::ofstream(inside) << "";
    std::filesystem::create_directory(folder);
    if (mount(path.c_str(), inside.c_str(), "none", MS_BIND, nullptr) != 0) {
      MESSAGE("NOT TESTED: this user may not mount");
      return;
    }
    const auto refused = try_open(inside);
    CHECK(umount(inside.c_str()) == 0);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == ErrorCode::misplaced);
    CHECK(refused.error().detail.find("mount the folder instead") != std::string::npos);
    REQUIRE(mount(directory.path().c_str(), folder.c_str(), "none", MS_BIND, nullptr) == 0);
    {
      const auto journal = try_open(folder + "/state.db");
      CHECK(journal.has_value());
      if (journal) check_locked(path, "pid " + std::to_string(getpid()));
    }
    CHECK(umount(folder.c_str()) == 0);
  }

  TEST_CASE("a path that SQLite or the system would read as another is refused") {
    const TempDir directory;
    for (const auto& path : {std::string(), std::string(":memory:"), std::string("file:state.db"),
                             directory.file(std::string("a\0b", 3))}) {
      CAPTURE(path);
      for (const bool must_exist : {false, true}) {
        store::JournalConfig config;
        config.path = path;
        config.must_exist = must_exist;
        const auto journal = store::Journal::open(config);
        REQUIRE_FALSE(journal.has_value());
        CHECK(journal.error().code == ErrorCode::invalid_argument);
      }
      const auto reader = Reader::open(path);
      REQUIRE_FALSE(reader.has_value());
      CHECK(reader.error().code == ErrorCode::invalid_argument);
    }
    CHECK(std::filesystem::is_empty(directory.path()));
    CHECK(try_open(directory.file(":memory:")).has_value());
  }

  TEST_CASE("a folder, or a folder that is not there, is no place for a state file") {
    const TempDir directory;
    for (const auto& path : {directory.path() + "/", directory.file("none/state.db")}) {
      CAPTURE(path);
      const auto journal = try_open(path);
      REQUIRE_FALSE(journal.has_value());
      CHECK(journal.error().code == ErrorCode::storage);
    }
    std::filesystem::create_symlink("b", directory.file("a"));
    std::filesystem::create_symlink("a", directory.file("b"));
    CHECK_FALSE(try_open(directory.file("a")).has_value());
  }
}
