// Goal: a backup is the file of one moment, sound and on disk, or there is none.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "belay/reader.h"
#include "support/process.h"
#include "unit/store/story.h"

namespace belay::test {
namespace {

namespace fs = std::filesystem;

// A journal that stays open, with a finished transaction in a row and one under way in the log.
struct BackupFixture {
  BackupFixture() {
    story.succeed(story.submit("g-done"));
    auto batch = story.batch();
    story.add_row(batch, 1);
    commit(*journal, batch);
    story.start(story.submit("g-open"), 0);
    commit(*journal, story.batch());
  }

  Result<> back_up() const {
    auto reader = Reader::open(path);
    REQUIRE(reader.has_value());
    return reader->back_up(to);
  }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(dir.path()), fs::directory_iterator()));
  }
  std::string error_of(const Result<>& result) const {
    return result ? "" : std::string(name_of(result.error().code));
  }

  TempDir dir;
  const std::string path = dir.file("state.db");
  const std::string to = dir.file("backup.db");
  std::unique_ptr<store::Journal> journal = open_journal(path);
  Story story;
};

mode_t permissions_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777;
}

}  // namespace

TEST_SUITE("store/backup") {
  TEST_CASE_FIXTURE(BackupFixture, "a backup of a file in use is of one moment, and sound") {
    REQUIRE(back_up());
    story.submit("g-later");
    commit(*journal, story.batch());
    auto copy = Reader::open(to);
    REQUIRE(copy.has_value());
    CHECK(copy->read("g-done")->row.status == Status::succeed);
    CHECK(copy->read("g-open")->row.status == Status::submitted);
    CHECK(copy->find("g-later").error().code == ErrorCode::not_found);
    CHECK(copy->check()->problems.empty());
    CHECK(!fs::exists(to + ".part"));
  }

  TEST_CASE_FIXTURE(BackupFixture, "an engine goes on with a backup") {
    REQUIRE(back_up());
    journal.reset();
    const auto again = open_journal(to);
    story.answer(2, 0, OutcomeKind::unknown, "timeout", story.now() + 5);
    commit(*again, story.batch());
    CHECK(Reader::open(to)->find("g-open")->attempts == 1);
    CHECK(Reader::open(path)->find("g-open")->attempts == 0);
  }

  TEST_CASE_FIXTURE(BackupFixture, "a backup has the permissions of its file, whatever the umask") {
    fs::permissions(path, fs::perms(0640));
    const auto mask = ::umask(0077);
    const auto made = back_up();
    ::umask(mask);
    REQUIRE(made);
    CHECK(permissions_of(to) == 0640);
  }

  TEST_CASE_FIXTURE(BackupFixture, "what SQLite would take for the backup's own is in its way") {
    for (const auto* left : {"-journal", "-wal", "-shm"}) {
      CAPTURE(left);
      std::ofstream(to + left) << "of another file";
      const auto refused = back_up();
      REQUIRE(!refused);
      CHECK(refused.error().detail.find(to + left) != std::string::npos);
      CHECK(!fs::exists(to));
      fs::remove(to + left);
    }
    CHECK(back_up().has_value());
  }

  TEST_CASE_FIXTURE(BackupFixture, "a backup replaces no file, and leaves another's part alone") {
    std::ofstream(to) << "mine";
    CHECK(error_of(back_up()) == "invalid_argument");
    CHECK(fs::file_size(to) == 4);
    fs::remove(to);
    std::ofstream(to + ".part") << "theirs";
    CHECK(error_of(back_up()) == "invalid_argument");
    CHECK(fs::file_size(to + ".part") == 6);
    CHECK(!fs::exists(to));
    fs::remove(to + ".part");
    fs::create_symlink("nowhere", to);
    CHECK(error_of(back_up()) == "invalid_argument");
    auto reader = Reader::open(path);
    CHECK(error_of(reader->back_up("")) == "invalid_argument");
    CHECK(error_of(reader->back_up(dir.file("no/such/folder"))) == "storage");
    CHECK(error_of(reader->back_up(path)) == "invalid_argument");
  }

  TEST_CASE_FIXTURE(BackupFixture, "a name that SQLite would read as a URI is a name") {
    const auto before = fs::current_path();
    fs::current_path(dir.path());
    auto reader = Reader::open(path);
    const auto made = reader->back_up("file:copy.db?mode=memory");
    fs::current_path(before);
    REQUIRE(made);
    CHECK(fs::file_size(dir.file("file:copy.db?mode=memory")) > 0);
    CHECK(!fs::exists(dir.file("copy.db")));
    CHECK(!fs::exists(dir.file("copy.db.part")));
  }

  TEST_CASE_FIXTURE(BackupFixture, "what a killed backup left does not get into the next one") {
    std::ofstream(to + ".part-journal") << std::string(4'096, 'j');
    REQUIRE(back_up());
    CHECK(!fs::exists(to + ".part-journal"));
    CHECK(Reader::open(to)->check()->problems.empty());
  }

  TEST_CASE_FIXTURE(BackupFixture, "without room there is no backup, and nothing is left of it") {
    const auto before = files();
    rlimit old{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &old) == 0);
    auto reader = Reader::open(path);
    REQUIRE(reader.has_value());
    rlimit small = old;
    small.rlim_cur = 8'192;
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    const auto made = reader->back_up(to);
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &old) == 0);
    CHECK(!made);
    CHECK(files() == before);
    REQUIRE(reader->back_up(to));
    CHECK(files() == before + 1);
  }
}

}  // namespace belay::test
