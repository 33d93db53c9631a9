// The file of bearer tokens. Each line is one of:
//
//   TOKEN             every right; its name in the log is "line N"
//   NAME:ROLE:TOKEN   ROLE: metrics, read, submit or admin
//   # anything        skipped, like an empty line
//
// A name is 1 to 64 letters, digits, ".", "_" and "-"; a token is a b64token of RFC 6750.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "belay/result.h"
#include "serve/protocol/role.h"

namespace belay::tool {

struct Token {
  std::string name;
  protocol::Role role = protocol::Role::admin;
  std::string secret;

  bool operator==(const Token&) const = default;
};
using Tokens = std::vector<Token>;

// Each request is compared with every token.
inline constexpr std::size_t kTokensMax = 1'000;

// Errors: invalid_argument, with `path` and the line, and never with a part of a token.
Result<Tokens> parse_tokens(std::string_view text, const std::string& path);
// Errors: those of `read_file` and `parse_tokens`.
Result<Tokens> read_tokens(const std::string& path);

// The names, with commas between them, of those `tokens` that `others` do not have with the same
// name, role and secret.
std::string names_not_in(const Tokens& others, const Tokens& tokens);

}  // namespace belay::tool
