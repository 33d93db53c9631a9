// A value or an `Error`. The names are a subset of those of std::expected, so that an alias can
// replace this class one day.
#pragma once

#include <utility>
#include <variant>

#include "belay/check.h"
#include "belay/error.h"

namespace belay {

// To read the value of a failed result, or the error of a successful result, is a bug and stops the
// process: test the result first.
template <class T = std::monostate>
class [[nodiscard]] Result {
 public:
  Result() requires std::is_same_v<T, std::monostate> : value_(std::in_place_index<0>) {}
  Result(T value) : value_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : value_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const noexcept { return value_.index() == 0; }
  bool has_value() const noexcept { return value_.index() == 0; }

  T& operator*() & { return *get(); }
  const T& operator*() const& { return *get(); }
  T&& operator*() && { return std::move(*get()); }
  T* operator->() { return get(); }
  const T* operator->() const { return get(); }

  const Error& error() const {
    BELAY_CHECK(value_.index() == 1);
    return *std::get_if<1>(&value_);
  }

 private:
  T* get() {
    BELAY_CHECK(value_.index() == 0);
    return std::get_if<0>(&value_);
  }
  const T* get() const {
    BELAY_CHECK(value_.index() == 0);
    return std::get_if<0>(&value_);
  }

  std::variant<T, Error> value_;
};

}  // namespace belay

// Returns the error of `expr` from the calling function, if it has one.
#define BELAY_TRY(expr)                                                \
  do {                                                                 \
    if (auto belay_try = (expr); !belay_try) return belay_try.error(); \
  } while (0)
