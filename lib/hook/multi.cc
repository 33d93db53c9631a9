#include "hook/multi.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "base/descriptor.h"
#include "belay/check.h"

namespace belay::hook {
namespace {

// The number of connections is a fraction of the files that the process may open: beyond it, calls
// wait for a connection, within their timeout. A third of the connections may be kept idle.
constexpr rlim_t kConnectionsMax = 16'384;

long connections_max() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return 0;  // 0 means no limit for curl.
  return static_cast<long>(std::max<rlim_t>(1, std::min(files.rlim_cur / 4 * 3, kConnectionsMax)));
}

// How often curl may ask for more work at once before the other handles on the loop get their turn.
constexpr int kRoundsMax = 4;

// True once a status has come: then the connection is complete, and libcurl does not close such a
// connection without calling close_socket.
bool has_answered(CURL* easy) {
  long status = 0;
  return curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK && status != 0;
}

}  // namespace

Result<std::unique_ptr<Multi>> Multi::make() {
  const base::StandardStreamsTaken taken;  // libcurl opens a pair of sockets of its own
  auto* multi = curl_multi_init();
  if (multi == nullptr) return Error{ErrorCode::resources, "there is no memory for libcurl"};
  std::unique_ptr<Multi> made(new Multi(multi));
  if (made->watches_.descriptor() < 0)
    return Error{ErrorCode::resources, "there is no file descriptor left to wait for sockets with"};
  return made;
}

Multi::Multi(CURLM* multi) : multi_(multi) {
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &Multi::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &Multi::on_timeout);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  const auto most = connections_max();
  curl_multi_setopt(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS, most);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, std::max(1L, most / 3));
}

Multi::~Multi() {
  if (multi_ != nullptr) curl_multi_cleanup(multi_);
}

Result<> Multi::start(uv_loop_s* loop, Ended ended) {
  auto poll = std::make_unique<uv_poll_t>();
  if (const int code = uv_poll_init(loop, poll.get(), watches_.descriptor()); code != 0) {
    return Error{ErrorCode::resources,
                 std::string("the loop cannot watch one more descriptor: ") + uv_strerror(code)};
  }
  loop_ = loop;
  ended_ = std::move(ended);
  timer_ = std::make_unique<uv_timer_t>();
  BELAY_CHECK(uv_timer_init(loop_, timer_.get()) == 0);  // needs no resource that could be short
  timer_->data = this;
  poll_ = std::move(poll);
  poll_->data = this;
  BELAY_CHECK(uv_poll_start(poll_.get(), UV_READABLE, &Multi::on_ready) == 0);
  handles_ = 2;
  return {};
}

bool Multi::add(CURL* easy) {
  const auto code = curl_multi_add_handle(multi_, easy);
  BELAY_CHECK(code == CURLM_OK || code == CURLM_OUT_OF_MEMORY);
  return code == CURLM_OK;
}

void Multi::remove(CURL* easy) { BELAY_CHECK(curl_multi_remove_handle(multi_, easy) == CURLM_OK); }

void Multi::close(std::function<void()> closed) {
  closed_ = std::move(closed);
  curl_multi_cleanup(multi_);
  multi_ = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(timer_.get()), &Multi::on_handle_closed);
  uv_close(reinterpret_cast<uv_handle_t*>(poll_.get()), &Multi::on_handle_closed);
}

void Multi::handle_closed() {
  if (--handles_ != 0 || !closed_) return;
  // `closed` may destroy this object.
  const auto closed = std::move(closed_);
  closed();
}

curl_socket_t Multi::open_socket(const curl_sockaddr& address) {
  const auto fd = base::beyond_standard_streams(
      ::socket(address.family, address.socktype | SOCK_CLOEXEC, address.protocol));
  if (fd != CURL_SOCKET_BAD) {
    watches_.opened(fd);
  } else if (base::is_shortage(errno)) {
    ++shortages_;
  }
  return fd;
}

bool Multi::lacks_descriptors() {
  const int fd = ::dup(watches_.descriptor());
  if (fd >= 0) return ::close(fd), false;
  ++shortages_;
  return true;
}

int Multi::close_socket(curl_socket_t fd) {
  watches_.forget(fd);
  return ::close(fd);
}

int Multi::on_socket(CURL* easy, curl_socket_t fd, int what, void* data, void*) noexcept {
  auto& watches = static_cast<Multi*>(data)->watches_;
  switch (what) {
    case CURL_POLL_IN: watches.want(fd, Watches::kIn); break;
    case CURL_POLL_OUT: watches.want(fd, Watches::kOut); break;
    case CURL_POLL_INOUT: watches.want(fd, Watches::kIn | Watches::kOut); break;
    case CURL_POLL_REMOVE:
      // A connection at rest stays in the kernel's list, so that the next call on it needs no
      // system call for this. Any other socket may have been closed without close_socket.
      has_answered(easy) ? watches.rest(fd) : watches.forget(fd);
      break;
    default: break;
  }
  return 0;
}

int Multi::on_timeout(CURLM*, long timeout_ms, void* data) noexcept {
  static_cast<Multi*>(data)->arm(timeout_ms);
  return 0;
}

void Multi::arm(long timeout_ms) {
  if (timeout_ms < 0) {
    due_now_ = false;
    uv_timer_stop(timer_.get());
    return;
  }
  if (timeout_ms == 0 && firing_) {
    due_now_ = true;
    return;
  }
  // One millisecond more than requested: both clocks are rounded down to milliseconds, and curl
  // does not set the timer again if it runs too early.
  uv_update_time(loop_);
  const auto delay = timeout_ms == 0 ? 0 : static_cast<std::uint64_t>(timeout_ms) + 1;
  uv_timer_start(timer_.get(), &Multi::on_timer, delay, 0);
}

void Multi::on_timer(uv_timer_t* handle) noexcept { static_cast<Multi*>(handle->data)->fire(); }

// No timer of 0 ms is used for what is due now: libuv would run it at once, again and again, and
// would never poll.
void Multi::fire() {
  firing_ = true;
  for (int round = 0; round < kRoundsMax; ++round) {
    due_now_ = false;
    int running = 0;
    curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
    end_finished();
    if (!due_now_) break;
  }
  firing_ = false;
  if (uv_is_active(reinterpret_cast<uv_handle_t*>(timer_.get())) != 0) return;
  long timeout_ms = -1;
  curl_multi_timeout(multi_, &timeout_ms);
  if (timeout_ms >= 0) arm(std::max(timeout_ms, 1L));
}

void Multi::on_ready(uv_poll_t* handle, int, int) noexcept {
  static_cast<Multi*>(handle->data)->look();
}

void Multi::look() {
  const bool is_known = watches_.look([this](int fd, std::uint8_t events) { act(fd, events); });
  if (is_known || multi_ == nullptr) return;
  uv_poll_stop(poll_.get());
  watches_.renew();
  BELAY_CHECK(uv_poll_start(poll_.get(), UV_READABLE, &Multi::on_ready) == 0);
}

void Multi::act(curl_socket_t fd, std::uint8_t events) {
  if (multi_ == nullptr) return;  // an answer's callback has closed this object
  int flags = 0;
  if ((events & Watches::kIn) != 0) flags |= CURL_CSELECT_IN;
  if ((events & Watches::kOut) != 0) flags |= CURL_CSELECT_OUT;
  int running = 0;
  curl_multi_socket_action(multi_, fd, flags, &running);
  end_finished();
}

void Multi::end_finished() {
  int left = 0;
  while (const auto* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    auto* easy = message->easy_handle;
    const auto result = message->data.result;
    remove(easy);
    ended_(easy, result);
  }
}

void Multi::on_handle_closed(uv_handle_t* handle) noexcept {
  static_cast<Multi*>(handle->data)->handle_closed();
}

}  // namespace belay::hook
