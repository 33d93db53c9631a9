#include "store/store_thread.h"

#include <doctest/doctest.h>

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/process.h"
#include "unit/core/transactions.h"
#include "unit/store/story.h"

using namespace belay;
using namespace belay::test;

namespace {

// What a loop is to the store: completions run here, in order, when they are waited for.
class Completions {
 public:
  void post(std::function<void()> completion) {
    {
      const std::lock_guard lock(mutex_);
      posted_.push_back(std::move(completion));
    }
    came_.notify_one();
  }
  // Runs completions until `count` of them ran.
  void run(std::size_t count) {
    for (; count > 0; --count) {
      std::function<void()> completion;
      {
        std::unique_lock lock(mutex_);
        came_.wait(lock, [this] { return !posted_.empty(); });
        completion = std::move(posted_.front());
        posted_.erase(posted_.begin());
      }
      completion();
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<std::function<void()>> posted_;
};

struct StoreThreadFixture {
  std::unique_ptr<store::StoreThread> start(std::size_t wal_bytes = 8 * 1024 * 1024) {
    store::JournalConfig config;
    config.path = path;
    config.wal_bytes = wal_bytes;
    auto thread = std::make_unique<store::StoreThread>(
        open_journal(config),
        [this](std::function<void()> done) { completions.post(std::move(done)); });
    REQUIRE(thread->start().has_value());
    return thread;
  }

  TempDir directory;
  std::string path = directory.file("state.db");
  Completions completions;
  Story story;
};

}  // namespace

TEST_SUITE("store/thread") {
  TEST_CASE_FIXTURE(
      StoreThreadFixture,
      "a file that goes away is noticed without a job, and told once until it is back") {
    store::JournalConfig config;
    config.path = path;
    std::vector<std::string> doubts;
    const auto thread = std::make_unique<store::StoreThread>(
        open_journal(config),
        [this](std::function<void()> done) { completions.post(std::move(done)); },
        store::StoreEvents{
            .on_doubt = [&doubts](const Error& error) { doubts.push_back(error.detail); }});
    REQUIRE(thread->start().has_value());
    const auto commit = [&](bool expected) {
      story.submit("g" + std::to_string(story.lsn()));
      const auto batch = story.batch();
      std::optional<bool> taken;
      while (taken != expected) {
        taken.reset();
        thread->commit(
            batch, [&](const Result<ports::StoreFigures>& result) { taken = result.has_value(); });
        while (!taken) completions.run(1);
      }
    };
    commit(true);
    for (unsigned times = 1; times <= 2; ++times) {
      std::filesystem::rename(path, directory.file("aside"));
      completions.run(1);
      REQUIRE(doubts.size() == times);
      CHECK(doubts.back().find("state.db was removed or replaced") != std::string::npos);
      std::filesystem::rename(directory.file("aside"), path);
      commit(true);
    }
    CHECK(doubts.size() == 2);
  }

  TEST_CASE_FIXTURE(StoreThreadFixture,
                    "a file that goes away is noticed while gids are looked up") {
    store::JournalConfig config;
    config.path = path;
    bool doubted = false;
    const auto thread = std::make_unique<store::StoreThread>(
        open_journal(config),
        [this](std::function<void()> done) { completions.post(std::move(done)); },
        store::StoreEvents{.on_doubt = [&doubted](const Error&) { doubted = true; }});
    REQUIRE(thread->start().has_value());
    std::filesystem::rename(path, directory.file("aside"));
    // Two lookups are under way at any time: the thread never idles.
    constexpr int kLookups = 1'000;
    int answered = 0;
    const auto ask = [&] { thread->lookup({"g"}, [&](const auto&) { ++answered; }); };
    ask();
    for (int i = 0; i < kLookups && !doubted; ++i) {
      ask();
      completions.run(1);
    }
    CHECK(doubted);
    CHECK(answered < kLookups);
    std::filesystem::rename(directory.file("aside"), path);
  }

  TEST_CASE_FIXTURE(StoreThreadFixture,
                    "jobs run in the order handed in, and each is answered once") {
    const auto thread = start();
    story.succeed(story.submit("g"));
    auto batch = story.batch();
    story.add_row(batch, 1);
    std::vector<std::string> answers;
    const auto here = std::this_thread::get_id();
    thread->commit(batch, [&](const Result<ports::StoreFigures>& result) {
      CHECK(std::this_thread::get_id() == here);
      answers.push_back(result && result->log_bytes == batch.records.size() ? "committed"
                                                                            : "wrong");
    });
    thread->lookup({"g", "none"},
                   [&](Result<std::vector<std::optional<ports::StoredSummary>>> result) {
                     REQUIRE(result.has_value());
                     answers.push_back(result->at(0) && !result->at(1) ? "found" : "wrong");
                   });
    thread->collect({story.now() + 1, 0}, [&](Result<bool> more) {
      REQUIRE(more.has_value());
      answers.push_back(*more ? "more" : "collected");
    });
    thread->close([&](Result<> result) { answers.push_back(result ? "closed" : "wrong"); });
    CHECK(answers.empty());
    completions.run(4);
    CHECK(answers == std::vector<std::string>{"committed", "found", "collected", "closed"});
  }

  TEST_CASE_FIXTURE(StoreThreadFixture, "what was committed survives a thread that is dropped") {
    {
      const auto thread = start();
      story.submit("g");
      const auto batch = story.batch();
      bool done = false;
      thread->commit(batch,
                     [&](const Result<ports::StoreFigures>& result) { done = result.has_value(); });
      completions.run(1);
      CHECK(done);
    }
    const auto read = read_back(path);
    REQUIRE(read.transactions.size() == 1);
    CHECK(difference(read.transactions[0].transaction, story.at(1)) == "");
  }

  TEST_CASE_FIXTURE(StoreThreadFixture, "the write-ahead log stays bounded while commits go on") {
    const std::size_t limit = 256 * 1024;
    const auto thread = start(limit);
    const std::string payload(50'000, 'p');
    std::uintmax_t largest = 0;
    for (int i = 0; i < 400; ++i) {  // 20 MB
      story.submit(Saga("g-" + std::to_string(i)).step("a", "b", payload));
      auto batch = story.batch();
      batch.fold_below = batch.lsn - 1;
      bool done = false;
      thread->commit(batch,
                     [&](const Result<ports::StoreFigures>& result) { done = result.has_value(); });
      completions.run(1);
      REQUIRE(done);
      largest = std::max(largest, std::filesystem::file_size(path + "-wal"));
    }
    CHECK(largest > limit / 2);
    // A pass moves while commits go on, so it is a few limits; without passes it would be all 20
    // MB.
    CHECK(largest < 10 * 1024 * 1024);
  }
}
