#include "hook/watches.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/descriptor.h"

namespace belay::hook {
namespace {

constexpr std::size_t kReadyMax = 128;  // events in one call; the loop calls again

epoll_event event_of(int fd, std::uint32_t socket, std::uint8_t events) {
  epoll_event event{};
  if ((events & Watches::kIn) != 0) event.events |= EPOLLIN;
  if ((events & Watches::kOut) != 0) event.events |= EPOLLOUT;
  event.data.u64 = std::uint64_t{socket} << 32 | static_cast<std::uint32_t>(fd);
  return event;
}

int descriptor_in(std::uint64_t tag) { return static_cast<int>(tag & 0xffffffffU); }

}  // namespace

Watches::Watches() : epoll_(base::beyond_standard_streams(::epoll_create1(EPOLL_CLOEXEC))) {}

Watches::~Watches() {
  if (epoll_ >= 0) ::close(epoll_);
}

Watches::Watch& Watches::at(int fd) {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= watches_.size()) watches_.resize(index + 1);
  return watches_[index];
}

void Watches::opened(int fd) {
  auto& watch = at(fd);
  ++watch.socket;
  watch.watched = 0;
  if (watch.wanted != 0) tell_kernel(fd, watch);
}

void Watches::want(int fd, std::uint8_t events) {
  auto& watch = at(fd);
  watch.wanted = events;
  if (watch.watched != events) tell_kernel(fd, watch);
}

void Watches::rest(int fd) { at(fd).wanted = 0; }

void Watches::forget(int fd) {
  auto& watch = at(fd);
  ++watch.socket;
  watch.wanted = 0;
  if (watch.watched == 0) return;
  watch.watched = 0;
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
}

void Watches::tell_kernel(int fd, Watch& watch) {
  auto event = event_of(fd, watch.socket, watch.wanted);
  const bool done = (watch.watched != 0 && ::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) == 0) ||
                    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0;
  watch.watched = done ? watch.wanted : std::uint8_t{0};
}

bool Watches::is_of_now(std::uint64_t tag) { return at(descriptor_in(tag)).socket == tag >> 32; }

bool Watches::look(const std::function<void(int fd, std::uint8_t events)>& on_ready) {
  std::array<epoll_event, kReadyMax> ready;
  const int count = ::epoll_wait(epoll_, ready.data(), static_cast<int>(ready.size()), 0);
  const std::span told(ready.data(), static_cast<std::size_t>(std::max(count, 0)));
  const bool knows_all = std::all_of(
      told.begin(), told.end(), [this](const auto& event) { return is_of_now(event.data.u64); });
  for (const auto& event : told) {
    const auto fd = descriptor_in(event.data.u64);
    auto& watch = at(fd);
    if (!is_of_now(event.data.u64)) continue;  // closed by an earlier `on_ready` of this loop
    if (watch.wanted == 0) {
      // The peer closed the connection while it was at rest; curl notices when it uses the
      // connection again.
      ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
      watch.watched = 0;
      continue;
    }
    std::uint8_t events = 0;
    if ((event.events & EPOLLIN) != 0) events |= kIn;
    if ((event.events & EPOLLOUT) != 0) events |= kOut;
    // After an error curl must look at the socket itself. If it were told of the error, it would
    // give the call up; instead it finds that the peer has closed the connection and makes the call
    // again on another connection.
    if ((event.events & (EPOLLERR | EPOLLHUP)) != 0) events |= watch.wanted;
    on_ready(fd, events);
  }
  return knows_all;
}

void Watches::renew() {
  const int fresh = ::epoll_create1(EPOLL_CLOEXEC);
  if (fresh < 0) return;
  ::dup3(fresh, epoll_, O_CLOEXEC);
  ::close(fresh);
  for (std::size_t fd = 0; fd < watches_.size(); ++fd) {
    auto& watch = watches_[fd];
    if (watch.watched == 0) continue;
    auto event = event_of(static_cast<int>(fd), watch.socket, watch.watched);
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, static_cast<int>(fd), &event) != 0) watch.watched = 0;
  }
}

}  // namespace belay::hook
