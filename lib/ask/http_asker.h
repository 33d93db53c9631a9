// Asks registries over HTTP: the port of lib/names with libcurl on the loop, on connections of its
// own. Everything runs on the loop's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_set>

#include "belay/hooks.h"
#include "belay/result.h"
#include "hook/multi.h"
#include "names/http.h"

namespace belay::ask {

class HttpAsker final : public names::Http {
 public:
  // Of all answers under way together. An answer for which no room is left is an error.
  static constexpr std::size_t kHeldBytesMax = 32 * 1024 * 1024;

  // Of the options only those of TLS and of link-local addresses. Errors: resources. Nothing is put
  // on the loop before `start`.
  static Result<std::unique_ptr<HttpAsker>> make(const HookOptions& options);
  ~HttpAsker() override;

  // Errors: resources; then nothing is on the loop.
  Result<> start(uv_loop_s* loop);
  std::unique_ptr<names::HttpExchange> ask(names::HttpQuestion question,
                                           std::function<void(names::HttpAnswer)> done) override;
  // All exchanges must have ended; `closed` runs when nothing is left on the loop.
  void close(std::function<void()> closed);

 private:
  class Exchange;

  HttpAsker(const HookOptions& options, std::unique_ptr<hook::Multi> multi);

  const HookOptions options_;
  const std::unique_ptr<hook::Multi> multi_;
  std::size_t held_bytes_ = 0;
};

}  // namespace belay::ask
