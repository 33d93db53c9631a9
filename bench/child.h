// Another program beside the bench, with one socket to talk over: its standard input. It dies with
// the bench, however the bench dies. (The kernel ties it to the thread that started it.)
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "belay/result.h"

namespace belay::bench {

class Child {
 public:
  // argv[0] is the program's path. What it prints goes to the file `log`, or nowhere.
  static Result<Child> start(const std::vector<std::string>& argv, const std::string& log = {});
  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;
  ~Child();  // kills it, if it still runs

  pid_t pid() const noexcept { return pid_; }
  // One line, without its end. Error: storage, if it ended or says nothing for so long.
  Result<std::string> hear(std::chrono::seconds limit);
  Result<> say(std::string_view text);
  // Asks it to end and waits. Its exit code, or minus the signal that ended it; killed if it has
  // not ended by then.
  int stop(int signal, std::chrono::seconds limit);
  bool running();

 private:
  Child(pid_t pid, int socket, std::string name)
      : pid_(pid), socket_(socket), name_(std::move(name)) {}
  Error silent() const;

  pid_t pid_;
  int socket_;
  std::string name_;
  std::string heard_;
  bool ended_ = false;
  int status_ = 0;
};

// The program that runs now.
std::string own_path();

}  // namespace belay::bench
