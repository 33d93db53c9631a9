// Calls URLs with libcurl's multi interface on the engine's loop. In lib only this folder includes
// curl/curl.h, and only this folder and lib/loop include uv.h. Everything runs on the loop's
// thread, unless a comment says otherwise.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "belay/hooks.h"
#include "belay/result.h"
#include "hook/directory.h"
#include "hook/url.h"
#include "ports/caller.h"

struct uv_loop_s;

namespace belay::hook {

class Hooks {
 public:
  // `answered` gets the outcome of a call, on the loop, never within `call`. `opened`: see
  // ports::Caller.
  using Answered = std::function<void(ports::CallId id, Outcome outcome)>;
  using Opened = std::function<void(ports::Lane lane)>;

  // Errors: invalid_argument (an option out of its range, a pattern that cannot be read), storage
  // (a certificate file cannot be read), resources (no memory). Nothing is put on the loop before
  // `start`.
  // `directory` finds services by name; null: such a target is refused. It must outlive this
  // object.
  static Result<std::unique_ptr<Hooks>> make(const HookOptions& options, std::uint64_t seed,
                                             Directory* directory = nullptr);
  ~Hooks();

  // Whether this URL may be called. From any thread. Errors: invalid_argument (not a URL),
  // forbidden_target (not among the allowed URLs).
  Result<> check(std::string_view target) const;

  // Errors: resources; then nothing is on the loop.
  Result<> start(uv_loop_s* loop, Answered answered, Opened opened);
  ports::Lane lane_of(std::string_view target);
  bool has_place(ports::Lane lane);
  // That the breaker of the lane's host is open, in words; nothing if it is closed.
  std::optional<std::string> why_shut(ports::Lane lane);
  void call(ports::CallId id, const Call& call);
  std::vector<HostFigures> figures() const;  // ordered by host
  // The proxies that the environment names, for the log, without passwords; empty: none.
  std::string proxies() const;
  // The number of calls so far for which there was no descriptor or memory.
  std::uint64_t shortages() const;
  // Ends the calls in flight without an answer; `closed` runs when nothing is left on the loop.
  void close(std::function<void()> closed);

 private:
  class Impl;
  explicit Hooks(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace belay::hook
