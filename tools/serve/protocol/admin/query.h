// The parameters of a query, read strictly: an unknown or repeated parameter and a value that
// cannot be meant are errors that name the parameter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "belay/error.h"
#include "serve/http/message.h"

namespace belay::protocol::admin {

class Query {
 public:
  Query(const http::Request& request, const std::vector<std::string_view>& known);

  // Each is empty if there is no such parameter, or if it is wrong.
  std::optional<std::string> text(std::string_view name);
  // A text that an answer may have shown with its secrets hidden: such a one is wrong.
  std::optional<std::string> shown_text(std::string_view name);
  std::optional<std::int64_t> number(std::string_view name, std::int64_t least, std::int64_t most);
  std::optional<bool> flag(std::string_view name);
  // A name that `from` knows; `names` says in the error what these are.
  template <class From>
  auto word(std::string_view name, From from, std::string_view names) -> decltype(from("")) {
    const auto given = text(name);
    if (!given) return std::nullopt;
    auto known = from(*given);
    if (!known) refuse(name, "'" + *given + "' is none of " + std::string(names));
    return known;
  }

  // The first error, whoever found it.
  const std::optional<Error>& wrong() const { return wrong_; }
  void refuse(std::string_view name, std::string_view why);

 private:
  const http::Request& request_;
  std::optional<Error> wrong_;
};

}  // namespace belay::protocol::admin
