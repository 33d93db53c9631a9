// Why an operator asks for something, its ticket, and who it is, as one text of a timeline.
#pragma once

#include <string>
#include <string_view>

namespace belay::base {

// "wrong price [T-1234]", of the reason and the ticket that an operator gives; each may be empty.
inline std::string with_ticket(std::string_view reason, std::string_view ticket) {
  std::string text(reason);
  if (ticket.empty()) return text;
  if (!text.empty()) text += ' ';
  return text.append("[").append(ticket).append("]");
}

// "refunded by hand (by alice on gateway-1)"; without a name only the reason.
inline std::string signed_reason(std::string_view reason, std::string_view asked_by) {
  std::string text(reason);
  if (asked_by.empty()) return text;
  if (!text.empty()) text += ' ';
  return text.append("(by ").append(asked_by).append(")");
}

}  // namespace belay::base
