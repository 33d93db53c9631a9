// The body of a verb: an object of texts, read strictly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "serve/http/message.h"

namespace belay::protocol::admin {

inline constexpr std::size_t kVerbBytesMax = 64 * 1024;
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
// Fills in the members. An unknown member, one that comes twice, is no text, is too long, or is
// missing, makes the answer that is returned.
std::optional<http::Response> read_texts(const http::Request& request,
                                         std::initializer_list<TextMember> members);

}  // namespace belay::protocol::admin
