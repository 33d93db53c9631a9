// A second engine on the file of a live one, by every door: refused with a message that says what
// to do, while the first goes on and loses nothing.
#include <belay/belay.h>
#include <doctest/doctest.h>
#include <sys/mount.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "state_file.h"

using namespace belay;
using namespace belay::test;

namespace fs = std::filesystem;

namespace {

constexpr int kFailed = 1;
constexpr int kHeld = 5;

// An engine of this process, and a thread that hands in all the while.
class First {
 public:
  First() {
    auto engine = Engine::open(path());
    REQUIRE(engine.has_value());
    engine_ = std::make_unique<Engine>(std::move(*engine));
    REQUIRE(engine_->start().has_value());
    thread_ = std::thread([this] { load(); });
    go_on();
  }
  First(const First&) = delete;
  First& operator=(const First&) = delete;
  ~First() { stop(); }

  std::string path() const { return dir.file("state.db"); }
  std::string lock() const { return path() + "-lock"; }

  // Waits until it has acknowledged some more.
  void go_on() {
    const auto wanted = count_ + 50;
    while (count_ < wanted && !refused_) std::this_thread::yield();
    CHECK_FALSE(refused_);
  }
  // Closes it, and counts what it acknowledged.
  void check_nothing_lost() {
    go_on();
    stop();
    CHECK(engine_->close().has_value());
    auto reader = Reader::open(path());
    REQUIRE(reader.has_value());
    unsigned lost = 0;
    for (const auto& gid : acknowledged_) lost += reader->find(gid) ? 0u : 1u;
    CHECK(lost == 0);
  }
  // `belay submit` into that file: by an engine of its own, or by the one that has it open.
  Finished second(const std::string& file) {
    const auto order = dir.file("order.json");
    std::ofstream(order) << R"({"gid":"second","trans_type":"msg","steps":[{"action":"there"}],)"
                            R"("payloads":["{}"]})";
    auto ended = belay_run({"submit", order, "--db", file});
    CHECK_FALSE(ended.timed_out);
    return ended;
  }
  // A second engine is refused, and what is asked through the file goes to the first one.
  void check_held(const std::string& file, const std::string& word) {
    for (int attempt = 0; attempt < 2; ++attempt) {
      const auto ended = belay_run({"serve", "--db", file, "--listen", "127.0.0.1:0"});
      CAPTURE(ended.err);
      CHECK(ended.exit_code == kHeld);
      CHECK(contains(ended.err, word));
      CHECK(second(file).out == "second submitted\n");
      CHECK(engine_->find("second").has_value());
    }
    go_on();
  }
  void check_refused(const std::string& file, int exit_code, const std::string& word) {
    for (int attempt = 0; attempt < 2; ++attempt) {
      const auto ended = second(file);
      CAPTURE(ended.err);
      CHECK(ended.exit_code == exit_code);
      CHECK(contains(ended.err, word));
    }
    go_on();
  }

  TempDir dir;

 private:
  void load() {
    while (!over_) {
      const auto gid = new_gid();
      if (!engine_->submit(Saga(gid).step("there", ""))) {
        refused_ = true;
        return;
      }
      acknowledged_.push_back(gid);
      ++count_;
    }
  }
  void stop() {
    over_ = true;
    if (thread_.joinable()) thread_.join();
  }

  std::unique_ptr<Engine> engine_;
  std::vector<std::string> acknowledged_;  // the thread's, until it ended
  std::atomic<std::size_t> count_ = 0;
  std::atomic<bool> refused_ = false;
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

// Says so where the test is not for this user.
bool may_mount(const std::string& what, const std::string& where) {
  if (mount(what.c_str(), where.c_str(), "none", MS_BIND, nullptr) == 0) return true;
  MESSAGE("NOT TESTED: this user may not mount");
  return false;
}

}  // namespace

TEST_SUITE("two-engines") {
  TEST_CASE_FIXTURE(First, "the lock file is removed") {
    fs::remove(lock());
    check_held(path(), "is held by another engine");
    check_nothing_lost();
  }

  TEST_CASE_FIXTURE(First, "the lock file is another one, and a link") {
    fs::remove(lock());
    fs::create_symlink("precious", lock());
    check_refused(path(), kFailed, "is a symbolic link: remove it");
    CHECK_FALSE(fs::exists(dir.file("precious")));
    fs::remove(lock());
    std::ofstream(lock()) << "";
    check_held(path(), "is held by another engine");
    check_nothing_lost();
  }

  TEST_CASE_FIXTURE(First, "the file has a second name") {
    const auto other = dir.file("other.db");
    fs::create_hard_link(path(), other);
    check_refused(other, kFailed, "2 names (hard links)");
    fs::remove(other);
    fs::create_symlink("state.db", other);
    check_held(other, "is held by pid");
    check_nothing_lost();
  }

  TEST_CASE_FIXTURE(First, "the file, and its folder, is mounted elsewhere") {
    const auto file = dir.file("mounted.db");
    const auto folder = dir.file("mounted");
    std::ofstream(file) << "";
    fs::create_directory(folder);
    if (!may_mount(path(), file)) return;
    check_refused(file, kFailed, "mount the folder instead");
    CHECK(umount(file.c_str()) == 0);
    REQUIRE(may_mount(dir.path(), folder));
    check_held(folder + "/state.db", "is held by pid");
    CHECK(umount(folder.c_str()) == 0);
    check_nothing_lost();
  }

  TEST_CASE_FIXTURE(First, "the file is copied: another file, and no harm to this one") {
    const auto copy = dir.file("copy.db");
    fs::copy_file(path(), copy);
    go_on();
    std::ofstream(copy + "-wal") << "";
    static_cast<void>(second(copy));  // the copy alone may be torn; the first must not notice
    check_nothing_lost();
  }
}
