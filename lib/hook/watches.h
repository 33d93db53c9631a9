// Which sockets curl waits for: an epoll of our own, that the loop watches as one descriptor which
// never goes away. A socket may be closed behind our back (libcurl does so with one that is not
// connected yet), and anybody may get its number next. The kernel takes it out of here by itself;
// a watch of the loop's own would stay, and be another descriptor's. On the loop's thread.
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

  // To be watched for being readable; negative: the process has no descriptor left.
  int descriptor() const { return epoll_; }

  // A new socket has this number. What is wanted of the number is now wanted of this one.
  void opened(int fd);
  // `events`: kIn, kOut or both. What the kernel refuses is never ready.
  void want(int fd, std::uint8_t events);
  // Nobody waits for it, but it stays watched, for the next time. Only for a socket that will not
  // be closed without a `forget`.
  void rest(int fd);
  // Before it is closed; or after, as nothing is taken away from who has the number now.
  void forget(int fd);

  // Calls `on_ready` for some of what is ready; it may call all of the above. False: the kernel
  // tells of a socket that is closed here and open in another process. `renew` ends that.
  bool look(const std::function<void(int fd, std::uint8_t events)>& on_ready);
  // The same watches under the same descriptor; it must not be watched meanwhile.
  void renew();

 private:
  struct Watch {
    std::uint32_t socket = 0;  // counts those that have had this number
    std::uint8_t wanted = 0;
    std::uint8_t watched = 0;  // not less than `wanted`, for one at rest
  };

  Watch& at(int fd);
  bool is_of_now(std::uint64_t tag);
  void tell_kernel(int fd, Watch& watch);

  int epoll_;
  std::vector<Watch> watches_;  // by descriptor
};

}  // namespace belay::hook
