#include "servers/server_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

namespace belay::servers {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kLogShownBytes = 3000;

void wait_a_moment() { ::poll(nullptr, 0, 5); }

struct User {
  bool change = false;
  uid_t uid = 0;
  gid_t gid = 0;
};

User server_user() {
  if (::geteuid() != 0) return {};
  const passwd* nobody = ::getpwnam("nobody");
  if (nobody == nullptr) throw std::runtime_error("there is no user `nobody` to run servers as");
  return {true, nobody->pw_uid, nobody->pw_gid};
}

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Runs between fork and exec: only system calls are allowed. Returns if one failed.
void become(char* const* argv, const User& user, const char* folder, int log, pid_t parent,
            int on_orphaned) {
  if (user.change &&
      (::setgroups(0, nullptr) != 0 || ::setgid(user.gid) != 0 || ::setuid(user.uid) != 0)) {
    return;
  }
  // Set after the change of user, which would clear it. The parent may be gone already.
  if (::prctl(PR_SET_PDEATHSIG, on_orphaned) != 0 || ::getppid() != parent) return;
  // The current folder may be one that only root can enter.
  if (::chdir(folder) != 0 && ::chdir("/") != 0) return;
  const int null = ::open("/dev/null", O_RDONLY);
  if (::dup2(null, 0) < 0 || ::dup2(log, 1) < 0 || ::dup2(log, 2) < 0) return;
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::setpgid(0, 0);  // an interrupt at the terminal must reach only the test
  ::execv(argv[0], argv);
}

std::vector<pid_t> children_of(pid_t pid) {
  const auto id = std::to_string(pid);
  std::ifstream file("/proc/" + id + "/task/" + id + "/children");
  return {std::istream_iterator<pid_t>(file), {}};
}

}  // namespace

ServerFolder::ServerFolder(const std::string& path) : path_(path), kept_(!path.empty()) {
  if (kept_) {
    std::filesystem::create_directories(path_);
    return;
  }
  path_ = (std::filesystem::temp_directory_path() / "belay-server-XXXXXX").string();
  if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("cannot make " + path_);
}

ServerFolder::~ServerFolder() {
  std::error_code ignored;
  if (!kept_) std::filesystem::remove_all(path_, ignored);
}

ServerProcess::ServerProcess(const std::string& folder_path) : folder_(folder_path) {
  const auto user = server_user();
  if (user.change && ::chown(folder().c_str(), user.uid, user.gid) != 0) fail("cannot chown");
}

ServerProcess::~ServerProcess() {
  if (!running()) return;
  try {
    kill9();
  } catch (const std::exception&) {  // the folder is removed all the same
  }
}

std::string ServerProcess::log() const {
  const auto text = contents(file("log"));
  return text.size() > kLogShownBytes ? text.substr(text.size() - kLogShownBytes) : text;
}

void ServerProcess::fail(const std::string& what) const {
  throw std::runtime_error(what + "; its log ends:\n" + log());
}

void ServerProcess::launch(const std::vector<std::string>& argv, int on_orphaned) {
  const auto user = server_user();
  const int log = ::open(file("log").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (log < 0) fail("cannot write " + file("log"));
  auto texts = argv;
  std::vector<char*> pointers;
  for (auto& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) {
    become(pointers.data(), user, folder().c_str(), log, parent, on_orphaned);
    ::_exit(127);
  }
  ::close(log);
  if (pid_ < 0) fail("cannot fork");
}

bool ServerProcess::reap() {
  if (!running()) return true;
  if (::waitpid(pid_, &status_, WNOHANG) != pid_) return false;
  pid_ = -1;
  return true;
}

bool ServerProcess::reap_by(steady_clock::time_point deadline) {
  while (!reap()) {
    if (steady_clock::now() >= deadline) return false;
    wait_a_moment();
  }
  return true;
}

void ServerProcess::run(const std::vector<std::string>& argv) {
  launch(argv, SIGKILL);
  if (!reap_by(steady_clock::now() + kServerDeadline)) {
    kill9();
    fail(argv[0] + " did not end");
  }
  if (!WIFEXITED(status_) || WEXITSTATUS(status_) != 0) fail(argv[0] + " failed");
}

void ServerProcess::make_data(std::vector<std::string> argv, const std::string& folder_option) {
  if (std::filesystem::exists(file("data"))) return;
  const auto unfinished = file("data-new");
  std::filesystem::remove_all(unfinished);
  argv.push_back(folder_option + unfinished);
  run(argv);
  std::filesystem::rename(unfinished, file("data"));
}

void ServerProcess::start(const std::vector<std::string>& argv, std::string_view ready,
                          int on_orphaned) {
  launch(argv, on_orphaned);
  const auto deadline = steady_clock::now() + kServerDeadline;
  while (contents(file("log")).find(ready) == std::string::npos) {
    if (reap()) fail(argv[0] + " ended at once");
    if (steady_clock::now() >= deadline) {
      kill9();
      fail(argv[0] + " is not ready");
    }
    wait_a_moment();
  }
}

void ServerProcess::stop(int signal) {
  if (!running()) return;
  ::kill(pid_, signal);
  if (reap_by(steady_clock::now() + kServerDeadline)) return;
  kill9();
  fail("the server did not stop");
}

void ServerProcess::kill9() {
  if (!running()) return;
  ::kill(pid_, SIGSTOP);  // so that it can neither start a child nor notice that one died
  const auto children = children_of(pid_);
  for (const pid_t child : children) ::kill(child, SIGKILL);
  ::kill(pid_, SIGKILL);
  const auto deadline = steady_clock::now() + kServerDeadline;
  if (!reap_by(deadline)) fail("the server survived SIGKILL");
  for (const pid_t child : children) {
    while (!is_gone(child)) {
      if (steady_clock::now() >= deadline) fail("a child of the server survived SIGKILL");
      wait_a_moment();
    }
  }
}

std::string find_program(const std::vector<std::string>& patterns) {
  std::vector<std::string> found;
  std::string tried;
  for (const auto& pattern : patterns) {
    glob_t matches{};
    if (::glob(pattern.c_str(), 0, nullptr, &matches) == 0) {
      found.assign(matches.gl_pathv, matches.gl_pathv + matches.gl_pathc);
    }
    ::globfree(&matches);
    if (!found.empty()) break;
    tried += " " + pattern;
  }
  if (found.empty()) throw NotInstalled("not installed, none of these is there:" + tried);
  // The longer number is the newer version: 9 is older than 15.
  return *std::max_element(found.begin(), found.end(), [](const auto& one, const auto& other) {
    return one.size() != other.size() ? one.size() < other.size() : one < other;
  });
}

bool is_gone(pid_t pid) {
  const auto stat = contents("/proc/" + std::to_string(pid) + "/stat");
  const auto name_end = stat.rfind(") ");
  return name_end == std::string::npos || stat[name_end + 2] == 'Z' || stat[name_end + 2] == 'X';
}

int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool bound = ::bind(fd, generic, size) == 0 && ::getsockname(fd, generic, &size) == 0;
  ::close(fd);
  if (!bound) throw std::runtime_error("no free port on 127.0.0.1");
  return ::ntohs(address.sin_port);
}

}  // namespace belay::servers
