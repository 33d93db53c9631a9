// Parses request bodies with dtm's tolerance: null counts as absent, unknown keys are ignored, and
// the case of keys does not matter. Types are strict.
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

// Larger than every definition that the engine accepts, even with all its characters escaped.
inline constexpr std::size_t kBodyBytesMax = 64 * 1024 * 1024;
inline constexpr std::size_t kDepthMax = 64;  // the depth of nested arrays and objects
// Values of all kinds, a hundred or more for each branch: parsed values take many times the bytes
// of their text.
inline constexpr std::size_t kValuesMax = 262'144;
inline constexpr std::int64_t kSecondsMax = 1'000'000'000;  // the limit of every duration

using base::invalid;

// These figures are counted before the text is parsed, so that nothing deeper or larger is ever
// built, walked or printed. For a text that is no JSON the figures mean nothing.
struct Extent {
  std::size_t depth = 0;   // the maximum
  std::size_t values = 1;  // the values in arrays and objects
};
Extent extent_of(std::string_view text);

// Parses a text of any kind. Errors: invalid_argument.
Result<Json> parse_json(std::string_view text);
// Parses an object; the text `null` yields an empty object. Errors: invalid_argument.
Result<Json> parse_object(std::string_view text);

// The members of an object by name. A member of a wrong type reads as absent, and the first such
// error is stored.
class Members {
 public:
  explicit Members(const Json& object) : object_(object) {}

  // Null if the member is absent or null.
  const Json* find(std::string_view name) const;
  std::string text(std::string_view name);
  std::int64_t integer(std::string_view name);
  bool flag(std::string_view name);
  std::vector<std::string> texts(std::string_view name);
  std::vector<Header> text_map(std::string_view name);

  // Stores an error unless every value is a string or null, including values that nobody reads.
  void refuse_all_but_texts();
  // Stores the error that `found`, the value of the member `name`, is of a wrong type.
  void refuse(std::string_view name, std::string_view wanted, const Json& found);
  const std::optional<Error>& error() const { return error_; }

 private:
  const Json& object_;
  std::optional<Error> error_;
};

// Parses a whole decimal number. Error: with dtm's text.
Result<std::int64_t> to_integer(std::string_view text);

// The query parameter `name` as a whole number; `otherwise` if it is absent or empty.
Result<std::int64_t> query_integer(const http::Request& request, std::string_view name,
                                   std::int64_t otherwise);

}  // namespace belay::protocol
