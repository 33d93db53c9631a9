// The engine that has a state file open, asked through that file.
#include <fmt/format.h>

#include <chrono>
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

class ToLive final : public Way {
 public:
  ToLive(Requests requests, Reader reader)
      : requests_(std::move(requests)), reader_(std::move(reader)) {}

  std::optional<Failure> submit(const Submission& submission) override {
    std::optional<Failure> failure;
    const auto described = describe_for_file(submission, failure);
    if (!described) return failure;
    return wait_for_answer(requests_.submit(described->description()), submission.place());
  }

  std::optional<Failure> follow(const std::string& gid, Millis limit, Fate& fate) override {
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
    return wait_for_answer(requests_.post(request), "");
  }

 private:
  std::optional<Failure> wait_for_answer(const Result<RequestId>& id, const std::string& place) {
    if (!id) return failure_of(id.error(), place);
    const auto end = Clock::now() + kAnswerPatience;
    for (auto pause = kFirstLook;; pause = std::min(2 * pause, kLongestLook)) {
      const auto answer = requests_.answer(*id);
      if (!answer) return failure_of(answer.error(), place);
      if (*answer) return failure_in((*answer)->refused, place);
      if (Clock::now() >= end) return take_back(*id, place);
      std::this_thread::sleep_for(pause);
    }
  }

  std::optional<Failure> take_back(RequestId id, const std::string& place) {
    const auto withdrawn = requests_.withdraw(id);
    if (!withdrawn) return failure_of(withdrawn.error(), place);
    if (!*withdrawn) {  // it was answered just now
      const auto answer = requests_.answer(id);
      if (!answer) return failure_of(answer.error(), place);
      return failure_in((*answer)->refused, place);
    }
    return Failure{ExitCode::busy,
                   fmt::format("{}the engine that has the file open did not do it within {} s; the "
                               "request was taken back, unless the engine had just read it",
                               place, kAnswerPatience.count() / 1'000),
                   "see `belay log`, and with `belay stats` whether the engine works"};
  }

  static std::optional<Failure> failure_in(const std::optional<Error>& refused,
                                           const std::string& place) {
    if (!refused) return std::nullopt;
    return failure_of(*refused, place);
  }

  Requests requests_;
  Reader reader_;
};

}  // namespace

std::unique_ptr<Way> to_live(const std::string& db, std::optional<Failure>& refusal) {
  auto requests = Requests::open(db);
  if (!requests) {
    refusal = failure_of(requests.error(), "");
    return nullptr;
  }
  auto reader = Reader::open(db);
  if (!reader) {
    refusal = failure_of(reader.error(), "");
    return nullptr;
  }
  return std::make_unique<ToLive>(std::move(*requests), std::move(*reader));
}

}  // namespace belay::tool
