#include "serve/tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/ascii.h"
#include "serve/read_file.h"

namespace belay::tool {
namespace {

using protocol::Role;

constexpr std::size_t kNameBytesMax = 64;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

bool is_token_name_character(char c) {
  return base::is_letter(c) || base::is_digit(c) || c == '.' || c == '_' || c == '-';
}

bool is_token_name(std::string_view text) {
  return !text.empty() && text.size() <= kNameBytesMax &&
         std::all_of(text.begin(), text.end(), is_token_name_character);
}

bool is_b64token(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_token_name_character(c) || c == '~' || c == '+' || c == '/';
  });
}

std::optional<Role> parse_role(std::string_view text) {
  for (const auto role : {Role::metrics, Role::read, Role::submit, Role::admin}) {
    if (text == protocol::name_of(role)) return role;
  }
  return std::nullopt;
}

Error wrong_line(const char* what) { return {ErrorCode::invalid_argument, what}; }

Result<Token> parse_line(std::string_view line, std::size_t number) {
  if (line.starts_with(kByteOrderMark))
    return wrong_line("a byte-order mark is no part of a token");
  if (line.find_first_of(" \t") != line.npos) return wrong_line("a token's line has no blanks");
  Token token{.name = fmt::format("line {}", number), .secret = std::string(line)};
  if (const auto first = line.find(':'); first != line.npos) {
    const auto second = line.find(':', first + 1);
    if (second == line.npos) return wrong_line("a token's line is TOKEN or NAME:ROLE:TOKEN");
    const auto role = parse_role(line.substr(first + 1, second - first - 1));
    if (!role) return wrong_line("the role is none of metrics, read, submit, admin");
    if (!is_token_name(line.substr(0, first)))
      return wrong_line("a name is 1 to 64 letters, digits, '.', '_' and '-'");
    token = {std::string(line.substr(0, first)), *role, std::string(line.substr(second + 1))};
  }
  if (!is_b64token(token.secret))
    return wrong_line("a token is letters, digits, '-', '.', '_', '~', '+' and '/', then any '='");
  return token;
}

bool has_secret(const Tokens& tokens, std::string_view secret) {
  return std::any_of(tokens.begin(), tokens.end(),
                     [&](const Token& token) { return token.secret == secret; });
}

// Adds the line's token, if it has one.
Result<> add_line(std::string_view line, std::size_t number, Tokens& into) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty() || line.front() == '#') return {};
  auto token = parse_line(line, number);
  if (!token) return token.error();
  if (has_secret(into, token->secret)) return wrong_line("the token of an earlier line again");
  if (into.size() == kTokensMax) return wrong_line("more than 1000 tokens");
  into.push_back(std::move(*token));
  return {};
}

}  // namespace

Result<Tokens> parse_tokens(std::string_view text, const std::string& path) {
  Tokens tokens;
  for (std::size_t begin = 0, number = 1; begin < text.size(); ++number) {
    const auto end = std::min(text.find('\n', begin), text.size());
    if (const auto added = add_line(text.substr(begin, end - begin), number, tokens); !added) {
      return Error{added.error().code,
                   fmt::format("{}:{}: {}", path, number, added.error().detail)};
    }
    begin = end + 1;
  }
  if (tokens.empty()) return Error{ErrorCode::invalid_argument, "there is no token in " + path};
  return tokens;
}

Result<Tokens> read_tokens(const std::string& path) {
  const auto text = read_file(path);
  if (!text) return text.error();
  return parse_tokens(*text, path);
}

std::string names_not_in(const Tokens& others, const Tokens& tokens) {
  std::string names;
  for (const auto& token : tokens) {
    if (std::find(others.begin(), others.end(), token) != others.end()) continue;
    names += (names.empty() ? "" : ", ") + token.name;
  }
  return names;
}

}  // namespace belay::tool
