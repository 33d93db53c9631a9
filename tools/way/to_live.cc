// The engine that has a state file open, asked through that file.
#include <fmt/format.h>

#include <chrono>
#include <functional>
#include <thread>
#include <utility>

#include "belay/reader.h"
#include "way/for_file.h"
#include "way/way.h"

namespace belay::tool {
namespace {

using Clock = std::chrono::steady_clock;

// An engine answers within some 50 ms, unless its disk or its loop stands still.
constexpr Millis kAnswerPatience{10'000};
constexpr Millis kFirstLook{10};
constexpr Millis kLongestLook{500};
constexpr int kEnginesMax = 20;  // other commands', one after the other
constexpr int kTries = 3;  // to take a request back, which may wait for other writers each time

class ToLive final : public Way {
 public:
  ToLive(FileAccess access, Requests requests, Reader reader)
      : access_(std::move(access)), requests_(std::move(requests)), reader_(std::move(reader)) {}

  std::optional<Failure> submit(const Submission& submission) override {
    if (instead_) return instead_->submit(submission);
    std::optional<Failure> failure;
    const auto described = describe_for_file(submission, failure);
    if (!described) return failure;
    const auto id = requests_.submit(described->description());
    if (!id) return failure_of(id.error(), submission.place());
    return wait_for_answer(*id, submission.place(),
                           [&submission](Way& way) { return way.submit(submission); });
  }

  std::optional<Failure> follow(const std::string& gid, Millis limit, Fate& fate) override {
    if (instead_) return instead_->follow(gid, limit, fate);
    const auto end = Clock::now() + limit;
    for (auto pause = kFirstLook;; pause = std::min(2 * pause, kLongestLook)) {
      const auto row = reader_.find(gid);
      if (!row) return failure_of(row.error(), "");
      fate = {std::string(name_of(row->status)), is_final(row->status) ? row->last_error : ""};
      const auto now = Clock::now();
      if (fate.is_final() || now >= end) return std::nullopt;
      std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(pause, end - now));
    }
  }

  std::optional<Failure> ask(const Request& request) override {
    if (instead_) return instead_->ask(request);
    const auto id = requests_.post(request);
    if (!id) return failure_of(id.error(), "");
    return wait_for_answer(*id, "", [&request](Way& way) { return way.ask(request); });
  }

 private:
  // The same once more, by another way.
  using Again = std::function<std::optional<Failure>(Way& way)>;

  std::optional<Failure> wait_for_answer(RequestId id, const std::string& place,
                                         const Again& again) {
    const auto end = Clock::now() + kAnswerPatience;
    for (auto pause = kFirstLook;; pause = std::min(2 * pause, kLongestLook)) {
      const auto answer = requests_.answer(id);
      if (answer && *answer) return failure_in((*answer)->refused, place);
      if (pause == kLongestLook && access_.engines_gone < kEnginesMax && is_gone()) {
        const auto withdrawn = requests_.withdraw(id);
        if (withdrawn && *withdrawn) return ask_instead(again);
      }
      if (Clock::now() >= end) return take_back(id, place);
      std::this_thread::sleep_for(pause);
    }
  }

  // The engine has ended: it may have been another command's.
  bool is_gone() {
    const auto engine = reader_.engine_state();
    return engine && engine->holder.empty();
  }

  // Whoever takes the file meanwhile is asked.
  std::optional<Failure> ask_instead(const Again& again) {
    std::optional<Failure> refusal;
    auto access = access_;
    ++access.engines_gone;
    instead_ = to_file(access, refusal);
    return instead_ ? again(*instead_) : refusal;
  }

  std::optional<Failure> take_back(RequestId id, const std::string& place) {
    auto withdrawn = requests_.withdraw(id);
    for (int i = 1; i < kTries && !withdrawn; ++i) withdrawn = requests_.withdraw(id);
    if (!withdrawn) return unknown(place, withdrawn.error().detail);
    if (!*withdrawn) {  // it was answered just now
      const auto answer = requests_.answer(id);
      if (!answer || !*answer) return unknown(place, "its answer cannot be read");
      return failure_in((*answer)->refused, place);
    }
    return Failure{ExitCode::busy,
                   fmt::format("{}the engine that has the file open did not do it within {} s; the "
                               "request was taken back, unless the engine had just read it",
                               place, kAnswerPatience.count() / 1'000),
                   "see `belay log`, and with `belay stats` whether the engine works"};
  }

  static Failure unknown(const std::string& place, const std::string& why) {
    return {ExitCode::busy,
            fmt::format("{}the request is in the file and may still be carried out: the engine did "
                        "not do it yet, and it could not be taken back: {}",
                        place, why),
            "see `belay log`, and with `belay stats` whether the engine works"};
  }

  static std::optional<Failure> failure_in(const std::optional<Error>& refused,
                                           const std::string& place) {
    if (!refused) return std::nullopt;
    return failure_of(*refused, place);
  }

  const FileAccess access_;
  Requests requests_;
  Reader reader_;
  std::unique_ptr<Way> instead_;  // once the engine was gone
};

}  // namespace

std::unique_ptr<Way> to_live(const FileAccess& access, std::optional<Failure>& refusal) {
  auto requests = Requests::open(access.db);
  if (!requests) {
    refusal = failure_of(requests.error(), "");
    return nullptr;
  }
  auto reader = Reader::open(access.db);
  if (!reader) {
    refusal = failure_of(reader.error(), "");
    return nullptr;
  }
  return std::make_unique<ToLive>(access, std::move(*requests), std::move(*reader));
}

}  // namespace belay::tool
