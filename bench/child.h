// Another program beside the bench, which communicates over one socket, its standard input. It ends
// with the bench, however the bench ends. (The kernel ties the program to the thread that started
// it.)
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
  // argv[0] is the path of the program. Its output goes to the file `log`, or nowhere.
  static Result<Child> start(const std::vector<std::string>& argv, const std::string& log = {});
  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;
  ~Child();  // kills the program if it still runs

  pid_t pid() const noexcept { return pid_; }
  // Receives one line, without its line end. Error: storage, if the program ended or sends nothing
  // within `limit`.
  Result<std::string> hear(std::chrono::seconds limit);
  Result<> say(std::string_view text);
  // Sends the signal and waits for the program's end; kills the program if it has not ended within
  // `limit`. Returns its exit code, or minus the signal that ended it.
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

// The path of the running program.
std::string own_path();

}  // namespace belay::bench
