// Request bodies, read with dtm's tolerance: null is absent, unknown keys are passed over, keys are
// found whatever their case. Types are strict.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/invalid.h"
#include "belay/types.h"
#include "serve/http/message.h"
#include "serve/protocol/api_result.h"

namespace belay::protocol {

// beyond every definition that the engine takes, escapes included
inline constexpr std::size_t kBodyBytesMax = 64 * 1024 * 1024;
inline constexpr std::size_t kDepthMax = 64;  // of arrays and objects within each other
// Of all kinds, a hundred or more for each branch: parsed they take many times their text's bytes.
inline constexpr std::size_t kValuesMax = 262'144;
inline constexpr std::int64_t kSecondsMax = 1'000'000'000;  // of every duration

using base::invalid;

// An object; of the text `null`, an empty one. Errors: invalid_argument.
Result<Json> parse_object(std::string_view text);

// The members of an object by name. A member of the wrong type reads as if it were absent, and the
// first of these is remembered.
class Members {
 public:
  explicit Members(const Json& object) : object_(object) {}

  // Null if it is absent or null.
  const Json* find(std::string_view name) const;
  std::string text(std::string_view name);
  std::int64_t integer(std::string_view name);
  bool flag(std::string_view name);
  std::vector<std::string> texts(std::string_view name);
  std::vector<Header> text_map(std::string_view name);

  // Every value is to be a string or null, also those that nobody reads.
  void refuse_all_but_texts();
  // `what` was of the wrong type.
  void refuse(std::string_view name, std::string_view wanted, const Json& found);
  const std::optional<Error>& error() const { return error_; }

 private:
  const Json& object_;
  std::optional<Error> error_;
};

// A whole decimal number. Error: dtm's text for it.
Result<std::int64_t> to_integer(std::string_view text);

// The query parameter `name`, a whole number; `otherwise` if it is absent or empty.
Result<std::int64_t> query_integer(const http::Request& request, std::string_view name,
                                   std::int64_t otherwise);

}  // namespace belay::protocol
