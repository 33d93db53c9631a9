// The body of a verb: an object, mostly of texts, read strictly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "serve/http/message.h"

namespace belay::protocol::admin {

inline constexpr std::size_t kVerbBytesMax = 64 * 1024;  // of a verb without a payload
// The command's reason has its ticket behind it already.
inline constexpr std::size_t kReasonBytesMax = 1'000;
inline constexpr std::size_t kTicketBytesMax = 100;
inline constexpr std::size_t kNameBytesMax = 1'024;    // of a topic, a branch
inline constexpr std::size_t kTargetBytesMax = 8'192;  // the engine's limit is smaller
enum class Need : std::uint8_t { optional, required };

struct TextMember {
  std::string_view name;
  std::size_t bytes_max;
  Need need;
  std::string& into;
};

// Empty: the request has a JSON body, or none. Otherwise the answer for it: 415, 413.
std::optional<http::Response> refuse_body(const http::Request& request, std::size_t bytes_max);
// A body that was read, or the answer for one that cannot be.
struct Read {
  nlohmann::json object = nlohmann::json::object();
  std::optional<http::Response> refusal{};
};
// A member that comes twice is refused. An absent body is an empty object.
Read read_object(const http::Request& request, std::size_t bytes_max);
// Fills in the members, and returns what is wrong: a member is unknown, is no text, is too long, or
// is missing. `others`: members that the caller reads itself.
std::optional<std::string> take_texts(const nlohmann::json& object,
                                      std::initializer_list<TextMember> members,
                                      std::initializer_list<std::string_view> others = {});

}  // namespace belay::protocol::admin
