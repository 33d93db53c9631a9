// Stand-ins until the real ones are merged.
#include "belay/engine.h"

namespace belay {
namespace {
const Error kNotYet{ErrorCode::unsupported, "not there yet"};
}
Result<> Engine::force_stop(std::string_view, std::string_view, ReportCallback) { return kNotYet; }
Result<> Engine::retry_now(std::string_view, ReportCallback) { return kNotYet; }
Result<> Engine::retry_all_now(Millis, std::uint32_t, WokenCallback) { return kNotYet; }
}  // namespace belay
