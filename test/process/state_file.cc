#include "state_file.h"

#include <cstdlib>
#include <sstream>
#include <utility>

namespace belay::test {
namespace {

using namespace std::chrono_literals;

Outcome yes(const Call&, void*) { return Outcome::success(); }
Outcome no(const Call&, void*) { return Outcome::failure("account\nclosed \x1b[31m\xff"); }
Outcome unreachable(const Call&, void*) { return Outcome::unknown("HTTP 502"); }

// Three attempts in about 30 ms, the next one a minute later.
Retry impatient() {
  Retry retry;
  retry.first_interval = 1ms;
  retry.multiplier = 30.0;
  retry.jitter = 0.0;
  return retry;
}

}  // namespace

const std::vector<std::string>& StateFile::gids() {
  static const std::vector<std::string> kGids = {"silent-1", "parked-1", "stuck-1",
                                                 "no-1",     "ok-2",     "ok-1"};
  return kGids;
}

StateFile::StateFile(Modes modes) {
  auto engine = Engine::open(path_);
  if (!engine) return;
  engine_ = std::make_unique<Engine>(std::move(*engine));
  ready_ = fill() && (modes == Modes::saga || fill_other_modes());
}

StateFile::~StateFile() { close(); }

bool StateFile::fill() {
  if (!engine_->handle("yes", yes) || !engine_->handle("no", no)) return false;
  if (!engine_->handle("unreachable", unreachable)) return false;
  if (!engine_->handle_async("silent", keep_reply, this) || !engine_->start()) return false;
  const bool finished =
      engine_->run(Saga("ok-1").step("yes", "yes").step("yes", "yes")) &&
      engine_->run(Saga("ok-2")
                       .step("yes", "yes")
                       .trace_parent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")) &&
      engine_->run(Saga("no-1").step("yes", "yes", "money").step("no", "yes"));
  if (!finished) return false;
  Saga stuck("stuck-1");
  stuck.step("yes", "yes").step("unreachable", "yes").retry(impatient());
  if (!engine_->submit(stuck)) return false;
  if (!engine_->submit(Saga("parked-1").step("nobody.here", "yes"))) return false;
  if (!engine_->submit(Saga("silent-1").step("silent", "yes").request_timeout(1h))) return false;
  return becomes_stuck("stuck-1") && becomes_stuck("parked-1");
}

bool StateFile::fill_other_modes() {
  auto& engine = *engine_;
  if (!engine.run(Tcc("tcc-1").branch("yes", "yes", "yes"))) return false;
  auto tcc = Tcc("tcc-2").retry(impatient()).branch("yes", "yes", "yes");
  if (!engine.prepare(tcc) ||
      !engine.register_branch("tcc-2", {"no", "yes", "unreachable", "money"}) ||
      !engine.abort("tcc-2", "no money"))
    return false;
  auto once = impatient();
  once.limit = 1;
  if (!engine.submit(Tcc("tcc-3").branch("unreachable", "yes", "unreachable").retry(once)))
    return false;
  if (!engine.run(Xa("xa-1").branch("yes", "yes", "yes"))) return false;
  if (!engine.submit(Xa("xa-2").branch("yes", "nobody.here", "yes"))) return false;
  auto msg = Msg("msg-1").to("yes").query("unreachable");
  if (!engine.prepare(msg.timeout_to_fail(1ms).retry(impatient()))) return false;
  if (!engine.subscribe({"news", "yes", "all\nof it"}) || !engine.subscribe({"news", "yes.too"}))
    return false;
  if (!engine.handle("yes.too", yes) || !engine.run(Msg("msg-2").to("topic://news", "hello")))
    return false;
  return becomes_stuck("tcc-2") && becomes_stuck("tcc-3") && becomes_stuck("xa-2") &&
         becomes_stuck("msg-1");
}

// The wait that times out is the pause between two looks.
bool StateFile::becomes_stuck(const std::string& gid) {
  for (int looks = 0; looks < 2000; ++looks) {
    const auto report = engine_->find(gid);
    if (report && report->stuck()) return true;
    static_cast<void>(engine_->wait(gid, 5ms).has_value());
  }
  return false;
}

void StateFile::keep_reply(const Call&, Reply reply, void* self) {
  auto& state = *static_cast<StateFile*>(self);
  const std::lock_guard lock(state.mutex_);
  state.replies_.push_back(std::move(reply));
}

std::string StateFile::crashed_copy() {
  const auto to = dir_.file("copy");
  // By another process: closing a file of its own here would drop this process's locks on it.
  for (const char* tail : {"", "-wal"}) run({.argv = {"/bin/cp", path_ + tail, to + tail}});
  return to;
}

void StateFile::answer_silent() {
  const std::lock_guard lock(mutex_);
  for (auto& reply : replies_) reply.complete(Outcome::success());
  replies_.clear();
}

void StateFile::close() {
  if (!engine_) return;
  answer_silent();
  static_cast<void>(engine_->close().has_value());
  engine_.reset();
}

Spawn belay_spawn(const std::vector<std::string>& arguments, const std::string& db) {
  Spawn spawn;
  const char* program = std::getenv("BELAY_PROGRAM");
  spawn.argv.push_back(program != nullptr ? program : "belay");
  spawn.argv.insert(spawn.argv.end(), arguments.begin(), arguments.end());
  spawn.env = {{"BELAY_DB", db}, {"TZ", "UTC"}};
  return spawn;
}

Finished belay_run(const std::vector<std::string>& arguments, const std::string& db) {
  return run(belay_spawn(arguments, db));
}

std::vector<Json> json_lines(const std::string& text) {
  std::vector<Json> result;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    result.push_back(Json::parse(line, nullptr, false));
  }
  return result;
}

std::size_t line_count(const std::string& text) {
  std::size_t lines = 0;
  for (const char c : text) lines += c == '\n' ? 1 : 0;
  return lines;
}

}  // namespace belay::test
