// Why an operator asks for something, and who it is, as one text of a timeline.
#pragma once

#include <string>
#include <string_view>

namespace belay::base {

// "refunded by hand (by alice on gateway-1)"; without a name only the reason.
inline std::string signed_reason(std::string_view reason, std::string_view asked_by) {
  std::string text(reason);
  if (asked_by.empty()) return text;
  if (!text.empty()) text += ' ';
  return text.append("(by ").append(asked_by).append(")");
}

}  // namespace belay::base
