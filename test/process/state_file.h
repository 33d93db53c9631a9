// A state file with a bit of everything in it, and the `belay` command to look at it.
#pragma once

#include <belay/belay.h>

#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/process.h"

namespace belay::test {

// An engine in this process, with these transactions, in the order they were submitted:
//   ok-1, ok-2   succeeded
//   no-1         failed: its second branch refused, with a reason no terminal should see raw
//   stuck-1      its second branch never answers; stuck
//   parked-1     names a handler that nobody registered; stuck
//   silent-1     its only call is in flight
// and of the other modes, if they are wanted:
//   tcc-1        succeeded
//   tcc-2        driven; its second branch was refused and cannot be cancelled; stuck
//   tcc-3        neither its try nor its cancel is answered; stuck
//   xa-1         succeeded
//   xa-2         submitted; its commit names a handler that nobody registered; stuck
//   msg-1        prepared; its back-check does not answer; stuck
//   msg-2        delivered to the two subscribers of the topic `news`
class StateFile {
 public:
  static constexpr std::size_t kCount = 6;
  // Newest first, as `list` shows them.
  static const std::vector<std::string>& gids();

  enum class Modes { saga, all };
  explicit StateFile(Modes modes = Modes::saga);
  StateFile(const StateFile&) = delete;
  StateFile& operator=(const StateFile&) = delete;
  ~StateFile();

  bool ready() const { return ready_; }  // everything is as said above
  const std::string& path() const { return path_; }
  const TempDir& dir() const { return dir_; }
  // A copy as of this moment, taken while the engine runs: what a crash would leave.
  std::string crashed_copy();
  void close();

 private:
  static void keep_reply(const Call& call, Reply reply, void* self);
  bool fill();
  bool fill_other_modes();
  bool becomes_stuck(const std::string& gid);
  void answer_silent();

  TempDir dir_;
  std::string path_ = dir_.file("state.db");
  std::mutex mutex_;
  std::vector<Reply> replies_;
  std::unique_ptr<Engine> engine_;
  bool ready_ = false;
};

using Json = nlohmann::json;

// `belay` with these arguments and a state file in BELAY_DB ("": none).
Spawn belay_spawn(const std::vector<std::string>& arguments, const std::string& db = {});
Finished belay_run(const std::vector<std::string>& arguments, const std::string& db = {});
// Each line of `text` as JSON; a line that is none becomes a discarded value.
std::vector<Json> json_lines(const std::string& text);
std::size_t line_count(const std::string& text);

}  // namespace belay::test
