// An engine in this process, on a state file.
#include <fmt/format.h>

#include <utility>

#include "belay/engine.h"
#include "serve/protocol/describe.h"
#include "way/way.h"

namespace belay::tool {
namespace {

Failure refusal_of(const Error& error, std::string place) {
  Failure refusal{ExitCode::failed, std::move(place) + error.detail,
                  std::string(meaning_of(error.code))};
  switch (error.code) {
    case ErrorCode::conflict:
    case ErrorCode::forbidden: refusal.code = ExitCode::forbidden; break;
    case ErrorCode::busy:
    case ErrorCode::queued_bytes_limit:
    case ErrorCode::live_bytes_limit:
    case ErrorCode::live_limit: refusal.code = ExitCode::busy; break;
    case ErrorCode::corrupt: refusal.code = ExitCode::corrupt; break;
    case ErrorCode::not_found:
      refusal.code = ExitCode::not_found;
      refusal.to_do = "name another with --db";
      break;
    case ErrorCode::timed_out: refusal.to_do = "follow it with `belay watch`"; break;
    case ErrorCode::locked:
      refusal.code = ExitCode::busy;
      refusal.to_do = "ask the program that holds it, `belay serve` with --server URL";
      break;
    default: break;
  }
  return refusal;
}

Failure refusal_about(const Error& error) {
  auto refusal = refusal_of(error, "");
  if (error.code == ErrorCode::not_found || error.code == ErrorCode::forbidden)
    refusal.to_do = "see `belay list`";
  return refusal;
}

class ToFile final : public Way {
 public:
  explicit ToFile(Engine engine) : engine_(std::move(engine)) {}

  std::optional<Failure> submit(const Submission& submission) override {
    const auto& type = submission.request.trans_type;
    if (type != "saga" && type != "msg") {
      return Failure{ExitCode::usage,
                     fmt::format("{}trans_type is '{}', and others than saga and msg need a caller "
                                 "who goes on with them",
                                 submission.place(), type),
                     "let a client of dtm's do that against `belay serve`"};
    }
    // Here names of handlers are as valid as URLs: the file may belong to an application.
    protocol::ServiceOptions options;
    options.urls_only = false;
    const auto described = protocol::describe(submission.request, options);
    if (!described) return refusal_of(described.error(), submission.place());
    const auto report = engine_.submit(described->description());
    if (!report) return refusal_of(report.error(), submission.place());
    return std::nullopt;
  }

  std::optional<Failure> follow(const std::string& gid, Millis limit, Fate& fate) override {
    auto report = limit > Millis{0} ? engine_.wait(gid, limit) : engine_.find(gid);
    if (!report && report.error().code == ErrorCode::timed_out) report = engine_.find(gid);
    if (!report) return refusal_about(report.error());
    fate = {std::string(name_of(report->status())), report->reason()};
    return std::nullopt;
  }

  std::optional<Failure> replay(const std::string& gid) override {
    const auto report = engine_.retry_now(gid);
    return report ? std::nullopt : std::optional(refusal_about(report.error()));
  }

 private:
  Engine engine_;
};

}  // namespace

std::unique_ptr<Way> to_file(const FileAccess& access, std::optional<Failure>& refusal) {
  Options options;
  options.must_exist = access.must_exist;
  // The history belongs to another program.
  options.retention = options.retention_failed = Millis{0};
  auto engine = Engine::open(access.db, options);
  if (!engine) {
    refusal = refusal_of(engine.error(), "");
    return nullptr;
  }
  if (const auto started = engine->start(); !started) {
    refusal = refusal_of(started.error(), "");
    return nullptr;
  }
  return std::make_unique<ToFile>(std::move(*engine));
}

}  // namespace belay::tool
