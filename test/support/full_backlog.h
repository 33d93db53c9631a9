// A port of loopback whose queue of connections is full: it drops what knocks, and nobody who
// connects to it hears anything.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace belay::test {

class FullBacklog {
 public:
  FullBacklog();
  FullBacklog(const FullBacklog&) = delete;
  FullBacklog& operator=(const FullBacklog&) = delete;
  ~FullBacklog();

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }

 private:
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::vector<int> waiting_;
};

}  // namespace belay::test
