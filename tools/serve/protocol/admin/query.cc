#include "serve/protocol/admin/query.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/invalid.h"
#include "base/number.h"
#include "view/hide.h"
#include "view/text.h"

namespace belay::protocol::admin {

Query::Query(const http::Request& request, const std::vector<std::string_view>& known)
    : request_(request) {
  std::vector<std::string_view> seen;
  for (const auto& [name, value] : request.query) {
    if (std::find(known.begin(), known.end(), name) == known.end())
      refuse(tool::printable(name), "there is no such parameter");
    else if (std::find(seen.begin(), seen.end(), name) != seen.end())
      refuse(name, "it is given twice");
    seen.push_back(name);
  }
}

void Query::refuse(std::string_view name, std::string_view why) {
  if (!wrong_) wrong_ = base::invalid(fmt::format("{}: {}", name, why));
}

std::optional<std::string> Query::text(std::string_view name) {
  for (const auto& [key, value] : request_.query) {
    if (key != name) continue;
    if (!value.empty()) return value;
    refuse(name, "its value is empty");
  }
  return std::nullopt;
}

std::optional<std::string> Query::shown_text(std::string_view name) {
  auto given = text(name);
  if (given && !wrong_) {
    if (const auto hidden = tool::refuse_hidden(name, *given)) wrong_ = base::invalid(*hidden);
  }
  return given;
}

std::optional<std::int64_t> Query::number(std::string_view name, std::int64_t least,
                                          std::int64_t most) {
  const auto given = text(name);
  if (!given) return std::nullopt;
  const auto number = base::parse_number<std::int64_t>(*given);
  if (number && *number >= least && *number <= most) return number;
  refuse(name, fmt::format("it must be a whole number from {} to {}", least, most));
  return std::nullopt;
}

std::optional<bool> Query::flag(std::string_view name) {
  const auto given = text(name);
  if (!given) return std::nullopt;
  if (*given == "true") return true;
  if (*given == "false") return false;
  refuse(name, "it must be true or false");
  return std::nullopt;
}

}  // namespace belay::protocol::admin
