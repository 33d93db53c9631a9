#include "serve/grpc/door.h"

#include <grpc/grpc.h>

#include <algorithm>
#include <atomic>
#include <utility>
#include <vector>

#include "base/descriptor.h"
#include "base/mutex.h"
#include "serve/grpc/acceptor.h"
#include "serve/grpc/generation.h"
#include "serve/grpc/grpc_log.h"
#include "serve/http/listener.h"
#include "threads/thread.h"

namespace belay::door {
namespace {

constexpr std::chrono::milliseconds kOldPatience{60'000};
constexpr std::chrono::milliseconds kLastAnswersPatience{1'000};
constexpr std::size_t kOldMax = 4;

}  // namespace

class Door::Impl {
 public:
  Impl(const http::ServerOptions& options, Handler handler, Complain complain)
      : options_(options),
        handler_(std::move(handler)),
        load_(std::make_shared<Load>(options.requests_in_flight_max, options.bodies_bytes_max)) {
    set_complain(std::move(complain));
  }
  ~Impl() {
    stop();
    set_complain({});
  }

  Result<> start() {
    auto generation = make_generation(options_);
    if (!generation) return generation.error();
    set_current(std::move(*generation));
    // As many again as HTTP has.
    const auto room = http::make_room_for(2 * options_.connections_max);
    auto acceptor = Acceptor::start(options_.host, options_.port,
                                    std::min(options_.connections_max, std::max(room / 2, 1U)),
                                    [this](int fd) { current()->take_connection(fd); });
    if (!acceptor) return acceptor.error();
    acceptor_ = std::move(*acceptor);
    return {};
  }

  std::uint16_t port() const { return acceptor_->port(); }
  Figures figures() const {
    return {acceptor_->connections(), load_->in_flight(), load_->requests(),
            load_->refused() + acceptor_->refused(), acceptor_->shortages()};
  }

  Result<> replace_tls(const std::string& cert, const std::string& key, const std::string& ca) {
    std::erase_if(old_, [](const auto& one) { return one.generation->has_ended(); });
    if (old_.size() >= kOldMax) {
      return Error{ErrorCode::busy,
                   "the connections of the last certificates are still ending; try again in a "
                   "minute"};
    }
    auto options = options_;
    options.tls_cert = cert;
    options.tls_key = key;
    options.tls_client_ca = ca;
    auto generation = make_generation(options);
    if (!generation) return generation.error();
    (*generation)->set_serving(serving_);
    retire(set_current(std::move(*generation)));
    return {};
  }

  void open() { serve(true); }
  void quiesce() {
    serve(false);
    acceptor_->stop();
  }

  void stop() {
    if (acceptor_) acceptor_->stop();
    const auto last = set_current(nullptr);
    for (const auto& exchange : open_->close()) exchange->refuse("the server is stopping");
    for (const auto& one : old_) one.generation->cut_off();
    if (last) last->end(kLastAnswersPatience);
    old_.clear();
  }

 private:
  // gRPC's own start and end, with all of its threads.
  class Library {
   public:
    Library() {
      const base::StandardStreamsTaken taken;  // it opens descriptors of its own
      grpc_init();
    }
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;
    ~Library() { grpc_shutdown_blocking(); }
  };

  using GenerationPtr = std::shared_ptr<Generation>;
  struct Old {
    GenerationPtr generation;
    threads::Thread thread;
  };

  Result<GenerationPtr> make_generation(const http::ServerOptions& options) const {
    const base::StandardStreamsTaken taken;
    return Generation::start(options, std::make_unique<DtmService>(handler_, load_, open_));
  }

  // Without a thread it is ended at once.
  void retire(GenerationPtr generation) {
    auto thread =
        threads::Thread::start("belay-grpc-old", [generation] { generation->end(kOldPatience); });
    if (!thread) return generation->end({});
    old_.push_back({std::move(generation), std::move(*thread)});
  }

  void serve(bool serving) {
    serving_ = serving;
    current()->set_serving(serving);
  }

  GenerationPtr current() const {
    const base::Lock lock(mutex_);
    return current_;
  }
  GenerationPtr set_current(GenerationPtr next) {
    const base::Lock lock(mutex_);
    return std::exchange(current_, std::move(next));
  }

  const Library library_;  // first: it outlives all that is gRPC's
  const http::ServerOptions options_;
  const Handler handler_;
  const std::shared_ptr<Load> load_;
  const std::shared_ptr<OpenExchanges> open_ = std::make_shared<OpenExchanges>();
  mutable base::Mutex mutex_;
  GenerationPtr current_ BELAY_GUARDED_BY(mutex_);
  std::vector<Old> old_;
  bool serving_ = false;
  std::unique_ptr<Acceptor> acceptor_;
};

bool is_built() { return true; }

Door::Door(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Door::~Door() = default;

Result<std::unique_ptr<Door>> Door::start(const http::ServerOptions& options, Handler handler,
                                          Complain complain) {
  auto impl = std::make_unique<Impl>(options, std::move(handler), std::move(complain));
  BELAY_TRY(impl->start());
  return std::unique_ptr<Door>(new Door(std::move(impl)));
}

std::uint16_t Door::port() const { return impl_->port(); }
Door::Figures Door::figures() const { return impl_->figures(); }
Result<> Door::replace_tls(const std::string& cert, const std::string& key,
                           const std::string& client_ca) {
  return impl_->replace_tls(cert, key, client_ca);
}
void Door::open() { impl_->open(); }
void Door::quiesce() { impl_->quiesce(); }
void Door::stop() { impl_->stop(); }

}  // namespace belay::door
