// One real database server beside this program, in a folder of its own: started, killed, started
// again; gone at the end. The server dies with this program, however this program dies. (The kernel
// ties it to the thread that started it: start servers from one that stays.)
//
// Database servers do not like to run as root: then they run as `nobody`, who must be able to reach
// the folder. What fails here throws, with the end of the server's log.
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
  std::string folder{};         // kept, and gone on with; empty: a new one, removed at the end
  bool tcp = false;             // also on a free port of 127.0.0.1
  bool durable = false;         // survives a power cut; off: a kill -9, but nothing worse
  bool read_committed = false;  // the default isolation; false: repeatable read
};

struct NotInstalled : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The folder of a server: made if it is not there, removed at the end if it was nobody's.
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
  std::string log() const;  // its last lines
  pid_t pid() const { return pid_; }
  bool running() const { return pid_ > 0; }

  // Runs a program to its end, as the server's user.
  void run(const std::vector<std::string>& argv);
  // Makes `data` by a program that fills a folder, unless it is there: whole or not at all.
  void make_data(std::vector<std::string> argv, const std::string& folder_option);
  // Starts the server and waits until its log says `ready`. `on_orphaned` is the signal that ends
  // it when this program is gone.
  void start(const std::vector<std::string>& argv, std::string_view ready, int on_orphaned);
  // Asks with a signal and waits for the end. Does nothing if it is not running.
  void stop(int signal);
  // SIGKILL to the server and its children, all at one moment; returns when all are gone.
  void kill9();

 private:
  void launch(const std::vector<std::string>& argv, int on_orphaned);
  bool reap();  // true once it ended
  bool reap_by(std::chrono::steady_clock::time_point deadline);
  [[noreturn]] void fail(const std::string& what) const;

  ServerFolder folder_;
  pid_t pid_ = -1;
  int status_ = 0;
};

// The newest `/usr/lib/postgresql/N/bin/NAME` and the like; "*" stands for any text. Throws
// NotInstalled if there is none.
std::string find_program(const std::vector<std::string>& patterns);
// True once it ended, also if whoever inherited it has not waited for it yet.
bool is_gone(pid_t pid);
// A port of 127.0.0.1 that nobody used a moment ago.
int free_port();

}  // namespace belay::servers
