// An engine in this process, on a state file.
#include <fmt/format.h>

#include <utility>

#include "belay/engine.h"
#include "way/for_file.h"
#include "way/way.h"

namespace belay::tool {
namespace {

class ToFile final : public Way {
 public:
  ToFile(std::string db, Engine engine) : db_(std::move(db)), engine_(std::move(engine)) {}

  std::optional<Failure> submit(const Submission& submission) override {
    std::optional<Failure> failure;
    const auto described = describe_for_file(submission, failure);
    if (!described) return failure;
    const auto report = engine_.submit(described->description());
    if (!report) return failure_of(report.error(), submission.place());
    return std::nullopt;
  }

  std::optional<Failure> follow(const std::string& gid, Millis limit, Fate& fate) override {
    auto report = limit > Millis{0} ? engine_.wait(gid, limit) : engine_.find(gid);
    if (!report && report.error().code == ErrorCode::timed_out) report = engine_.find(gid);
    if (!report) return failure_of(report.error(), "");
    fate = {std::string(name_of(report->status())), report->reason()};
    return std::nullopt;
  }

  std::optional<Failure> ask(const Request& request) override {
    if (request.verb == Verb::log_level) {  // it would end with this command
      return Failure{ExitCode::failed, fmt::format("no engine has {} open", db_),
                     "start the program whose file it is, with the level that you want"};
    }
    const auto done = engine_.carry_out(request);
    return done ? std::nullopt : std::optional(failure_of(done.error(), ""));
  }

 private:
  const std::string db_;
  Engine engine_;
};

}  // namespace

std::unique_ptr<Way> to_file(const FileAccess& access, std::optional<Failure>& refusal) {
  Options options;
  options.must_exist = access.must_exist;
  // The history belongs to another program.
  options.retention = options.retention_failed = Millis{0};
  options.makes_calls = access.makes_calls;
  options.takes_posted_submits = false;  // checked by the limits of the program whose file it is
  auto engine = Engine::open(access.db, options);
  if (!engine && engine.error().code == ErrorCode::locked) return to_live(access, refusal);
  if (!engine) {
    refusal = failure_of(engine.error(), "");
    if (engine.error().code == ErrorCode::not_found) refusal->to_do = "name another with --db";
    return nullptr;
  }
  if (const auto started = engine->start(); !started) {
    refusal = failure_of(started.error(), "");
    return nullptr;
  }
  return std::make_unique<ToFile>(access.db, std::move(*engine));
}

}  // namespace belay::tool
