// The same functions for a library that was built without libcurl: a URL is recognized and refused.
#include "hook/hooks.h"
#include "hook/options.h"

namespace belay::hook {

class Hooks::Impl {};

Hooks::Hooks(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Hooks::~Hooks() = default;

Result<std::unique_ptr<Hooks>> Hooks::make(const HookOptions& options, std::uint64_t, Directory*) {
  BELAY_TRY(check_options(options));
  return std::unique_ptr<Hooks>(new Hooks(nullptr));
}

Result<> Hooks::check(std::string_view target) const {
  return Error{ErrorCode::unsupported, "'" + std::string(target) +
                                           "' is a URL, and this belay was built without "
                                           "libcurl (meson's option hooks)"};
}

Result<> Hooks::start(uv_loop_s*, Answered, Opened) { return {}; }
ports::Lane Hooks::lane_of(std::string_view) { return 0; }
bool Hooks::has_place(ports::Lane) { return true; }
std::optional<std::string> Hooks::why_shut(ports::Lane) { return std::nullopt; }
void Hooks::call(ports::CallId, const Call&) {}
std::vector<HostFigures> Hooks::figures() const { return {}; }
std::string Hooks::proxies() const { return {}; }
std::uint64_t Hooks::shortages() const { return 0; }
void Hooks::close(std::function<void()> closed) { closed(); }

}  // namespace belay::hook
