// A real database server for one program, in a folder of its own: it can be started, killed and
// started again, and is removed at the end. The server ends with this program, however this program
// ends. (The kernel ties the server to the thread that started it: start servers from a thread that
// lives long enough.)
//
// Database servers refuse to run as root; in that case they run as `nobody`, and that user must be
// able to reach the folder. Functions that fail throw an exception with the end of the server's
// log.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace belay::servers {

inline constexpr std::chrono::seconds kServerDeadline{60};

struct ServerOptions {
  // An existing or new folder that is kept; empty: a new folder, which is removed at the end.
  std::string folder{};
  bool tcp = false;  // also listens on a free port of 127.0.0.1
  // True: survives a power cut; false: survives only a kill -9.
  bool durable = false;
  bool read_committed = false;  // the default isolation; false: repeatable read
};

struct NotInstalled : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The folder of a server: created if it does not exist; removed at the end if no path was given.
class ServerFolder {
 public:
  explicit ServerFolder(const std::string& path);
  ServerFolder(const ServerFolder&) = delete;
  ServerFolder& operator=(const ServerFolder&) = delete;
  ~ServerFolder();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  bool kept_;
};

class ServerProcess {
 public:
  explicit ServerProcess(const std::string& folder = {});
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  ~ServerProcess();

  const std::string& folder() const { return folder_.path(); }
  std::string file(std::string_view name) const { return folder() + "/" + std::string(name); }
  std::string log() const;  // the last lines of the log
  pid_t pid() const { return pid_; }
  bool running() const { return pid_ > 0; }

  // Runs a program to its end, as the server's user.
  void run(const std::vector<std::string>& argv);
  // Creates `data` with a program that fills a folder, unless `data` exists: either completely or
  // not at all.
  void make_data(std::vector<std::string> argv, const std::string& folder_option);
  // Starts the server and waits until its log contains `ready`. `on_orphaned` is the signal that
  // ends the server when this program is gone.
  void start(const std::vector<std::string>& argv, std::string_view ready, int on_orphaned);
  // Sends the signal and waits for the server's end. Does nothing if the server is not running.
  void stop(int signal);
  // Sends SIGKILL to the server and all its children at once; returns when all are gone.
  void kill9();

 private:
  void launch(const std::vector<std::string>& argv, int on_orphaned);
  bool reap();  // true once the server has ended
  bool reap_by(std::chrono::steady_clock::time_point deadline);
  [[noreturn]] void fail(const std::string& what) const;

  ServerFolder folder_;
  pid_t pid_ = -1;
  int status_ = 0;
};

// Finds the newest `/usr/lib/postgresql/N/bin/NAME` or similar; "*" matches any text. Throws
// NotInstalled if there is none.
std::string find_program(const std::vector<std::string>& patterns);
// True once the process has ended, even if its parent has not yet waited for it.
bool is_gone(pid_t pid);
// A port of 127.0.0.1 that was free a moment ago.
int free_port();

}  // namespace belay::servers
