#include "serve/grpc/grpc_log.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>

#include <chrono>
#include <string>

#include "base/mutex.h"

namespace belay::door {
namespace {

using LogClock = std::chrono::steady_clock;
constexpr std::chrono::seconds kLineEvery{5};

struct Complaints {
  base::Mutex mutex;
  Complain complain BELAY_GUARDED_BY(mutex);
  LogClock::time_point next BELAY_GUARDED_BY(mutex){};
};

// For functions of C that get no pointer of ours. Never destroyed: gRPC may speak until the end.
Complaints& complaints() {
  static auto* const kAll = new Complaints;
  return *kAll;
}

void on_line(std::string_view line) {
  auto& all = complaints();
  const base::Lock lock(all.mutex);
  const auto now = LogClock::now();
  if (!all.complain || now < all.next) return;
  all.next = now + kLineEvery;
  all.complain(line);
}

void on_grpc(gpr_log_func_args* line) { on_line(line->message); }

// A text that is no UTF-8 is answered to who sent it; there is nothing more to tell.
void on_protobuf(google::protobuf::LogLevel, const char*, int, const std::string&) {}

}  // namespace

void set_complain(Complain complain) {
  {
    auto& all = complaints();
    const base::Lock lock(all.mutex);
    all.complain = std::move(complain);
  }
  gpr_set_log_function(on_grpc);
  gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);
  google::protobuf::SetLogHandler(on_protobuf);
}

}  // namespace belay::door
