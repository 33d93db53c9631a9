// Runs a program as a person or a script would: no shell, its streams captured, a time limit on
// everything.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace belay::test {

struct Spawn {
  std::vector<std::string> argv{};  // argv[0]: the program's path
  std::string input{};              // its stdin; then end of file
  // Set on top of this process's environment without its BELAY_…; an empty value removes the name.
  std::vector<std::pair<std::string, std::string>> env{};
  std::string directory{};                  // where it runs; empty: here
  bool terminal = false;                    // its stdout and stderr are a terminal; all in `out`
  std::uint16_t columns = 80;               // of the terminal
  std::chrono::milliseconds limit{30'000};  // then it is killed, and `timed_out` is set
};

struct Finished {
  int exit_code = -1;  // -1: a signal ended it, or it could not be started (then `err` says why)
  int signal = 0;      // that signal, or 0
  bool timed_out = false;
  std::string out;
  std::string err;
};

// Of what it printed.
inline bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// Runs it to its end.
Finished run(const Spawn& spawn);

// A program that goes on beside the test. The destructor kills it, and whatever it left running.
class Process {
 public:
  explicit Process(const Spawn& spawn);
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  pid_t pid() const { return pid_; }  // -1 if it could not be started
  // True once all it printed to stdout or stderr so far contains `text`; false when it ended or the
  // limit passed without it.
  bool wait_for_output(std::string_view text,
                       std::chrono::milliseconds limit = std::chrono::seconds(10));
  // Stops reading its stdout, as `| head -1` does.
  void close_output();
  // Sends a signal. Does nothing if it ended.
  void kill(int signal);
  // Waits for its end, killing it at the spawn's limit (counted from the start).
  Finished wait();

 private:
  // Moves what can be moved on the three pipes, waiting for at most `slice`.
  void pump(std::chrono::milliseconds slice);
  void feed();
  void collect(int& fd, std::string& into);
  bool reap();  // true once it ended and its status was taken
  void close_all();

  pid_t pid_ = -1;
  int in_ = -1;
  int out_ = -1;
  int err_ = -1;
  std::string input_;
  std::chrono::steady_clock::time_point deadline_;
  Finished result_;
  bool ended_ = false;
};

// A new directory that is removed with all its contents at the end.
class TempDir {
 public:
  TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir();
  const std::string& path() const { return path_; }
  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

}  // namespace belay::test
