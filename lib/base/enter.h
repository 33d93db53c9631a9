// Every call of a host's callback goes through this function: an exception is logged, and the
// engine goes on.
#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/log.h"
#include "belay/result.h"

namespace belay::base {

// `whose` is the start of the log line: "a callback". False: the function threw.
template <class Function>
bool enter(const Log& log, std::string_view whose, Function&& function) noexcept {
  try {
    std::forward<Function>(function)();
    return true;
  } catch (const std::exception& thrown) {
    log.threw(whose, thrown.what());
  } catch (...) {
    log.threw(whose, "something that is no std::exception");
  }
  return false;
}

// A host's function that gets a result: a std::function that is called through `enter`.
template <class T>
class Callback {
 public:
  using Function = std::function<void(const Result<T>& result)>;

  Callback() = default;
  Callback(std::nullptr_t) {}
  template <class F, class = std::enable_if_t<!std::is_same_v<std::remove_cvref_t<F>, Callback> &&
                                              std::is_constructible_v<Function, F>>>
  Callback(F&& function) : function_(std::forward<F>(function)) {}

  // `log` must outlive this object. Without a log, exceptions are not reported.
  void log_to(const Log& log) { log_ = &log; }

  explicit operator bool() const { return static_cast<bool>(function_); }
  void operator()(const Result<T>& result) const noexcept {
    enter(log_ == nullptr ? Log::none() : *log_, "a callback", [&] { function_(result); });
  }

 private:
  Function function_;
  const Log* log_ = nullptr;
};

}  // namespace belay::base
