#include "http_floor.h"

#include <curl/curl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "called.h"
#include "machine.h"

namespace belay::bench {
namespace {

struct HttpFloorSettings {
  std::string url;           // without a query
  unsigned connections = 1;  // also the number of calls in flight
  std::size_t payload_bytes = 0;
  double seconds = 1;  // the first tenth is the warm-up
};

struct EasyEnd {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct MultiEnd {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct ListEnd {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Easy = std::unique_ptr<CURL, EasyEnd>;

std::size_t swallow(char*, std::size_t size, std::size_t count, void*) { return size * count; }

class Loop {
 public:
  explicit Loop(const HttpFloorSettings& settings)
      : settings_(settings), payload_(settings.payload_bytes, 'x') {}
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  bool begin();
  Result<double> run();

 private:
  static int on_socket(CURL*, curl_socket_t socket, int what, void* self, void* known);
  static int on_timer(CURLM*, long timeout_ms, void* self);
  bool begin_call(CURL* easy);
  bool wait_and_act();
  bool take_finished();

  const HttpFloorSettings settings_;
  const std::string payload_;
  std::unique_ptr<curl_slist, ListEnd> headers_;
  std::unique_ptr<CURLM, MultiEnd> multi_;
  std::vector<Easy> easies_;
  int epoll_ = -1;
  std::uint64_t timer_at_ns_ = UINT64_MAX;
  std::uint64_t begun_ = 0, finished_ = 0;
  std::string problem_;
};

Loop::~Loop() {
  for (const auto& easy : easies_) curl_multi_remove_handle(multi_.get(), easy.get());
  easies_.clear();
  multi_.reset();
  if (epoll_ >= 0) ::close(epoll_);
}

int Loop::on_socket(CURL*, curl_socket_t socket, int what, void* self, void* known) {
  auto& loop = *static_cast<Loop*>(self);
  epoll_event event{};
  event.data.fd = socket;
  event.events = ((what & CURL_POLL_IN) != 0 ? EPOLLIN : 0u) |
                 ((what & CURL_POLL_OUT) != 0 ? static_cast<std::uint32_t>(EPOLLOUT) : 0u);
  if (what == CURL_POLL_REMOVE) return ::epoll_ctl(loop.epoll_, EPOLL_CTL_DEL, socket, &event), 0;
  ::epoll_ctl(loop.epoll_, known != nullptr ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket, &event);
  curl_multi_assign(loop.multi_.get(), socket, &loop);
  return 0;
}

int Loop::on_timer(CURLM*, long timeout_ms, void* self) {
  static_cast<Loop*>(self)->timer_at_ns_ =
      timeout_ms < 0 ? UINT64_MAX : now_ns() + static_cast<std::uint64_t>(timeout_ms) * 1'000'000;
  return 0;
}

bool Loop::begin() {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  multi_.reset(curl_multi_init());
  headers_.reset(curl_slist_append(nullptr, "Content-Type: application/json"));
  if (epoll_ < 0 || !multi_ || !headers_) return false;
  curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETFUNCTION, &on_socket);
  curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_.get(), CURLMOPT_TIMERFUNCTION, &on_timer);
  curl_multi_setopt(multi_.get(), CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, static_cast<long>(settings_.connections));
  for (unsigned i = 0; i < settings_.connections; ++i) {
    easies_.emplace_back(curl_easy_init());
    auto* easy = easies_.back().get();
    if (easy == nullptr) return false;
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &swallow);
    if (!payload_.empty()) {
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, payload_.data());
      curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(payload_.size()));
      curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_.get());
    }
    if (!begin_call(easy)) return false;
  }
  return true;
}

// The URL is different each time, as it is with belay.
bool Loop::begin_call(CURL* easy) {
  const auto url = fmt::format("{}?branch_id=01&gid=floor-{:020}&op=action&trans_type=saga",
                               settings_.url, begun_++);
  return curl_easy_setopt(easy, CURLOPT_URL, url.c_str()) == CURLE_OK &&
         curl_multi_add_handle(multi_.get(), easy) == CURLM_OK;
}

bool Loop::wait_and_act() {
  std::array<epoll_event, 256> events;
  const auto now = now_ns();
  const auto left_ms = timer_at_ns_ <= now ? 0 : (timer_at_ns_ - now) / 1'000'000 + 1;
  const int wait_ms = left_ms > 100 ? 100 : static_cast<int>(left_ms);
  const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait_ms);
  int running = 0;
  if (timer_at_ns_ <= now_ns()) {
    timer_at_ns_ = UINT64_MAX;
    curl_multi_socket_action(multi_.get(), CURL_SOCKET_TIMEOUT, 0, &running);
  }
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    const int what = ((event.events & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
                     ((event.events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
                     ((event.events & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0);
    curl_multi_socket_action(multi_.get(), event.data.fd, what, &running);
  }
  return take_finished();
}

bool Loop::take_finished() {
  int left = 0;
  while (const auto* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    auto* easy = message->easy_handle;
    const auto result = message->data.result;  // copied: the message is gone with the handle
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(multi_.get(), easy);
    if (result != CURLE_OK || status != 200) {
      problem_ = fmt::format("the floor's call ended with {}, status {}",
                             curl_easy_strerror(result), status);
      return false;
    }
    ++finished_;
    if (!begin_call(easy)) return false;
  }
  return true;
}

Result<double> Loop::run() {
  const auto began = now_ns();
  const auto span = [this](double part) {
    return static_cast<std::uint64_t>(settings_.seconds * part * 1e9);
  };
  std::uint64_t from = began, before = 0;
  while (now_ns() < began + span(1)) {
    if (!wait_and_act()) return Error{ErrorCode::storage, problem_};
    if (from == began && now_ns() >= began + span(0.1)) from = now_ns(), before = finished_;
  }
  return static_cast<double>(finished_ - before) * 1e9 / static_cast<double>(now_ns() - from);
}

}  // namespace

Result<OwnFloor> measure_http_floor(const Branches& branches, const Settings& settings,
                                    double seconds) {
  Loop loop(
      {branches.url(Path::to_do), calls_at_a_time(settings), settings.payload_bytes, seconds});
  if (!loop.begin()) return Error{ErrorCode::storage, "libcurl cannot be set up"};
  const auto calls = loop.run();
  if (!calls) return calls.error();
  return OwnFloor{*calls / branches.calls_per_transaction(),
                  fmt::format("{:.0f} of the same calls by a bare libcurl loop", *calls)};
}

}  // namespace belay::bench
