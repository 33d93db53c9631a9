// The file, or what SQLite has beside it, is taken away or replaced under a live journal: noticed
// at the commit, and what was acknowledged is saved where it can be.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/quiet_signals.h"
#include "belay/reader.h"
#include "support/process.h"
#include "unit/store/story.h"

using namespace belay;
using namespace belay::test;

namespace fs = std::filesystem;

namespace {

// Another program, with an SQLite of its own.
std::string other_program(const std::string& path, const std::string& sql) {
  const auto script = "import sqlite3\nc = sqlite3.connect('" + path +
                      "', isolation_level=None)\nprint(c.execute(\"" + sql +
                      "\").fetchall())\nc.close()\n";
  const auto ended = run({.argv = {"/usr/bin/env", "python3", "-c", script}});
  return ended.exit_code == 0 ? ended.out : "error: " + ended.err;
}

// What a program does that copies the file, or looks at its first bytes.
void open_and_close(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(descriptor >= 0);
  char byte = 0;
  CHECK(read(descriptor, &byte, 1) >= 0);
  close(descriptor);
}

ino_t inode_of(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

struct Scene {
  // Commits one transaction; its gid counts as acknowledged if that was taken.
  Result<> commit_one() {
    if (!batch) {
      story.submit("g" + std::to_string(++submitted));
      batch = story.batch();
    }
    auto committed = journal->commit(*batch);
    if (!committed) return committed.error();
    ++acknowledged;
    batch.reset();
    return {};
  }
  void check_refused(const std::string& word) {
    for (int attempt = 0; attempt < 3; ++attempt) {
      const auto refused = commit_one();
      REQUIRE_FALSE(refused.has_value());
      CHECK(refused.error().code == ErrorCode::storage);
      CAPTURE(refused.error().detail);
      CHECK(refused.error().detail.find(word) != std::string::npos);
    }
  }
  // As `kill -9` and a new start find it: a copy of what is there under its name.
  unsigned found_after_kill() const {
    const auto copy = directory.file("copy.db");
    fs::remove(copy + "-wal");
    fs::copy_file(path, copy, fs::copy_options::overwrite_existing);
    if (fs::exists(path + "-wal")) fs::copy_file(path + "-wal", copy + "-wal");
    return found_in(copy);
  }
  static unsigned found_in(const std::string& file) {
    return static_cast<unsigned>(read_back(file).transactions.size());
  }

  TempDir directory;
  std::string path = directory.file("state.db");
  std::string wal = path + "-wal";
  std::string shm = path + "-shm";
  std::string aside = directory.file("aside");
  std::unique_ptr<store::Journal> journal = open_journal(path);
  Story story;
  std::optional<ports::Batch> batch;
  unsigned submitted = 0;
  unsigned acknowledged = 0;
};

}  // namespace

TEST_SUITE("store/vanished") {
  TEST_CASE_FIXTURE(Scene, "the host opens and closes its own file, others come and go: no harm") {
    const auto inode = inode_of(wal);
    for (int i = 0; i < 10; ++i) {
      REQUIRE(commit_one());
      open_and_close(path);
      if (i % 2 == 1) open_and_close(wal);
      CHECK(other_program(path, "SELECT max(lsn) FROM log") ==
            "[(" + std::to_string(acknowledged) + ",)]\n");
      REQUIRE(inode_of(wal) == inode);
      CHECK(other_program(path, "PRAGMA journal_mode=DELETE").find("error") == 0);
      REQUIRE(inode_of(wal) == inode);
    }
    CHECK(found_after_kill() == acknowledged);
    CHECK(journal->close().has_value());
    CHECK_FALSE(fs::exists(wal));
    CHECK(found_in(path) == acknowledged);
  }

  TEST_CASE_FIXTURE(Scene, "the log is removed while the disk is full: nothing is lost") {
    const base::QuietSignals quiet;
    constexpr rlim_t kRoom = 48 * 1024;  // for SQLite's shared memory, and not for the file to grow
    while (fs::file_size(wal) < 4 * kRoom) REQUIRE(commit_one());
    rlimit before{};
    REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
    auto full = before;
    full.rlim_cur = kRoom;
    REQUIRE(setrlimit(RLIMIT_FSIZE, &full) == 0);
    const bool refused = !commit_one() && !commit_one();
    fs::remove(wal);
    const bool still_refused = !commit_one();
    REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
    CHECK(refused);
    CHECK(still_refused);
    REQUIRE(commit_one());
    CHECK(found_after_kill() == acknowledged);
    CHECK(journal->close().has_value());
    CHECK(found_in(path) == acknowledged);
  }

  TEST_CASE_FIXTURE(Scene, "moved away: refused until it is back") {
    REQUIRE(commit_one());
    fs::rename(path, aside);
    check_refused("state.db was removed or replaced under the engine");
    CHECK_FALSE(fs::exists(path));
    fs::rename(aside, path);
    REQUIRE(commit_one());
    REQUIRE(commit_one());
    CHECK(found_after_kill() == acknowledged);
    CHECK(journal->close().has_value());
  }

  TEST_CASE_FIXTURE(Scene, "removed: refused for good, and nothing is put in its place") {
    REQUIRE(commit_one());
    fs::remove(path);
    check_refused("state.db was removed or replaced under the engine");
    const auto closed = journal->close();
    REQUIRE_FALSE(closed.has_value());
    CHECK(closed.error().code == ErrorCode::storage);
    CHECK_FALSE(fs::exists(path));
    CHECK(fs::file_size(wal) > 0);  // whoever starts next sees that something is missing
  }

  TEST_CASE_FIXTURE(Scene,
                    "a copy in the place of the removed file: its log stays, and all is there") {
    REQUIRE(commit_one());
    REQUIRE(commit_one());
    fs::copy_file(path, aside);
    fs::rename(aside, path);
    check_refused("state.db was removed or replaced under the engine");
    CHECK_FALSE(journal->close().has_value());
    CHECK(fs::file_size(wal) > 0);
    CHECK(found_in(path) >= acknowledged);
  }

  TEST_CASE_FIXTURE(Scene, "another file in its place: refused, and that one is left alone") {
    const auto other = directory.file("other.db");
    REQUIRE(open_journal(other)->close());
    REQUIRE(commit_one());
    fs::rename(path, aside);
    fs::rename(other, path);
    check_refused("state.db was removed or replaced under the engine");
    CHECK_FALSE(journal->close().has_value());
    CHECK(found_in(path) == 0);
    fs::remove(wal);
    const auto found = found_in(aside);  // where it is now, with all that was acknowledged
    CHECK(found >= acknowledged);
    CHECK(found <= submitted);
  }

  TEST_CASE_FIXTURE(Scene, "the write-ahead log removed: one commit is refused, nothing is lost") {
    REQUIRE(commit_one());
    fs::remove(wal);
    const auto refused = commit_one();
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().detail.find("state.db-wal was removed") != std::string::npos);
    REQUIRE(commit_one());
    CHECK(fs::exists(wal));
    REQUIRE(commit_one());
    CHECK(found_after_kill() == acknowledged);
    REQUIRE(journal->close());
    CHECK(found_in(path) == acknowledged);
  }

  TEST_CASE_FIXTURE(Scene, "noticed by a look, the log is saved before the next commit") {
    REQUIRE(commit_one());
    REQUIRE(journal->look());
    fs::remove(wal);
    CHECK_FALSE(journal->look().has_value());
    REQUIRE(commit_one());
    REQUIRE(journal->look());
    CHECK(found_after_kill() == acknowledged);
  }

  TEST_CASE_FIXTURE(Scene,
                    "what another program writes is noticed, also while the file is in doubt") {
    const auto post = [this] { query(path, "INSERT INTO belay_requests(verb) VALUES('stop')"); };
    REQUIRE(commit_one());
    CHECK_FALSE(*journal->was_written());
    post();
    CHECK(*journal->was_written());
    CHECK_FALSE(*journal->was_written());
    fs::rename(path, aside);
    CHECK_FALSE(journal->look().has_value());
    fs::rename(aside, path);
    post();
    REQUIRE(commit_one());
    CHECK(*journal->was_written());
    CHECK_FALSE(*journal->was_written());
  }

  TEST_CASE_FIXTURE(Scene, "a log is saved although another program wrote, if that was seen") {
    REQUIRE(commit_one());
    query(path, "INSERT INTO belay_requests(verb) VALUES('stop')");
    REQUIRE(*journal->was_written());
    fs::remove(wal);
    CHECK_FALSE(journal->look().has_value());
    REQUIRE(commit_one());
    CHECK(found_after_kill() == acknowledged);
  }

  TEST_CASE_FIXTURE(Scene, "a closing journal saves a removed log as well") {
    REQUIRE(commit_one());
    fs::remove(wal);
    CHECK_FALSE(journal->close().has_value());
    CHECK(found_in(path) == acknowledged);
  }

  TEST_CASE_FIXTURE(Scene, "an old log in its place: refused until that is gone, nothing is lost") {
    REQUIRE(commit_one());
    fs::copy_file(wal, aside);
    REQUIRE(commit_one());
    REQUIRE(journal->checkpoint_wal());
    fs::remove(wal);
    fs::rename(aside, wal);
    CHECK_FALSE(commit_one().has_value());
    check_refused("all that it held is in the file: remove");
    fs::remove(wal);
    REQUIRE(commit_one());
    CHECK(found_after_kill() == acknowledged);
  }

  TEST_CASE_FIXTURE(Scene, "the log removed and the file written by others: nothing is made up") {
    REQUIRE(commit_one());
    CHECK(other_program(path, "PRAGMA wal_checkpoint(FULL)").find("error") == std::string::npos);
    fs::remove(wal);
    if (other_program(path, "CREATE TABLE theirs(x)") != "[]\n") {
      MESSAGE("NOT TESTED: the other program could not write");
      return;
    }
    CHECK_FALSE(commit_one().has_value());
    check_refused("another program wrote to the file since");
  }

  TEST_CASE_FIXTURE(Scene,
                    "the shared memory removed: given anew, unless somebody here has the old") {
    REQUIRE(commit_one());
    fs::remove(shm);
    CHECK_FALSE(commit_one().has_value());
    REQUIRE(commit_one());
    CHECK(other_program(path, "SELECT max(lsn) FROM log") ==
          "[(" + std::to_string(acknowledged) + ",)]\n");
    {
      auto reader = Reader::open(path);
      REQUIRE(reader.has_value());
      REQUIRE(reader->stats().has_value());
      fs::remove(shm);
      CHECK_FALSE(commit_one().has_value());
      check_refused("state.db-shm was removed or replaced under the engine");
    }
    REQUIRE(commit_one());
    CHECK(found_after_kill() == acknowledged);
    REQUIRE(journal->close());
  }
}
