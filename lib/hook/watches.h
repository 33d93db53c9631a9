// The sockets for which curl waits: an epoll descriptor of our own, which the loop watches as one
// descriptor that always exists. libcurl may close a socket without telling us (it does so with a
// socket that is not yet connected), and any code may get the same number next. The kernel then
// removes the closed socket from our epoll by itself; a watch in the loop's own epoll would stay
// and belong to another descriptor. Use on the loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace belay::hook {

class Watches {
 public:
  static constexpr std::uint8_t kIn = 1;
  static constexpr std::uint8_t kOut = 2;

  Watches();
  Watches(const Watches&) = delete;
  Watches& operator=(const Watches&) = delete;
  ~Watches();

  // To be watched until it is readable; negative: the process has no descriptor left.
  int descriptor() const { return epoll_; }

  // A new socket has this number. Events that were wanted for the number are now wanted for this
  // socket.
  void opened(int fd);
  // `events`: kIn, kOut or both. A socket that the kernel refuses never becomes ready.
  void want(int fd, std::uint8_t events);
  // Nobody waits for the socket now, but it stays watched for the next time. Only for a socket that
  // is never closed without a `forget`.
  void rest(int fd);
  // To be called before the socket is closed. After the close it does no harm either: a new owner
  // of the number loses nothing.
  void forget(int fd);

  // Calls `on_ready` for some of the ready sockets; `on_ready` may call all the functions above.
  // False: the kernel reports a socket that is closed in this process and open in another one.
  // `renew` ends these reports.
  bool look(const std::function<void(int fd, std::uint8_t events)>& on_ready);
  // Creates the same watches anew under the same descriptor, which must not be watched meanwhile.
  void renew();

 private:
  struct Watch {
    std::uint32_t socket = 0;  // counts the sockets that have had this number
    std::uint8_t wanted = 0;
    std::uint8_t watched = 0;  // includes `wanted`; more than it for a socket at rest
  };

  Watch& at(int fd);
  bool is_of_now(std::uint64_t tag);
  void tell_kernel(int fd, Watch& watch);

  int epoll_;
  std::vector<Watch> watches_;  // indexed by descriptor
};

}  // namespace belay::hook
