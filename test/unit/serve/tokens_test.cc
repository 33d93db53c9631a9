// The file of tokens, line by line.
#include <doctest/doctest.h>

#include "serve/tokens.h"

namespace belay::tool {
namespace {

using protocol::Role;

std::string fault_of(std::string_view text) {
  const auto tokens = parse_tokens(text, "file");
  return tokens ? "" : tokens.error().detail;
}

}  // namespace

TEST_SUITE("serve/tokens") {
  TEST_CASE("a line is a token with all rights, or a name, a role and a token") {
    const auto tokens = parse_tokens(
        "# a:b c\n\none\r\n\r\nprometheus:metrics:aZ09-._~+/==\nx:read:r\nx:submit:s\n_-.:admin:a",
        "file");
    REQUIRE_MESSAGE(tokens, (tokens ? "" : tokens.error().detail));
    REQUIRE(tokens->size() == 5);
    const auto is = [&](std::size_t at, std::string_view name, Role role, std::string_view secret) {
      const auto& token = (*tokens)[at];
      return token.name == name && token.role == role && token.secret == secret;
    };
    CHECK(is(0, "line 3", Role::admin, "one"));
    CHECK(is(1, "prometheus", Role::metrics, "aZ09-._~+/=="));
    CHECK(is(2, "x", Role::read, "r"));
    CHECK(is(3, "x", Role::submit, "s"));
    CHECK(is(4, "_-.", Role::admin, "a"));
  }

  TEST_CASE("what is wrong is told with its line, and never with the token") {
    const auto long_name = std::string(65, 'n') + ":read:secret";
    for (const auto& wrong : {std::pair<std::string, const char*>{"sec ret", "blank"},
                              {"secret ", "blank"},
                              {"\tsecret", "blank"},
                              {"\xef\xbb\xbfsecret", "byte-order mark"},
                              {"name:root:secret", "role"},
                              {"name:anybody:secret", "role"},
                              {"name:Read:secret", "role"},
                              {"name::secret", "role"},
                              {"name:secret", "NAME:ROLE:TOKEN"},
                              {":read:secret", "name"},
                              {"n\xc3\xa4me:read:secret", "name"},
                              {long_name, "name"},
                              {"name:read:", "letters"},
                              {"name:read:sec:ret", "letters"},
                              {"=", "letters"},
                              {"sec=ret", "letters"},
                              {"\xc3\xa9secret", "letters"},
                              {"secret\r\r", "letters"},
                              {std::string("sec\0ret", 7), "letters"},
                              {"first", "earlier line"},
                              {"again:read:first", "earlier line"}}) {
      CAPTURE(wrong.first);
      const auto fault = fault_of("first\n" + wrong.first + "\n");
      CHECK(fault.starts_with("file:2: "));
      CHECK(fault.find(wrong.second) != std::string::npos);
      CHECK(fault.find("ret") == std::string::npos);
    }
    for (const auto* none : {"", "\n", "# first\n\r\n"})
      CHECK(fault_of(none) == "there is no token in file");
  }

  TEST_CASE("of replaced tokens the names that came and went are told") {
    const auto before = *parse_tokens("a:read:1\nb:read:2\nc:read:3", "file");
    const auto after = *parse_tokens("a:read:1\nb:read:9\nc:admin:3\nd:read:4", "file");
    CHECK(names_not_in(before, after) == "b, c, d");
    CHECK(names_not_in(after, before) == "b, c");
    CHECK(names_not_in(after, after) == "");
  }

  TEST_CASE("the number of tokens is bounded") {
    std::string text;
    for (std::size_t i = 0; i < kTokensMax; ++i) text += std::to_string(i) + "\n";
    CHECK(fault_of(text) == "");
    CHECK(fault_of(text + "x").starts_with("file:1001: "));
  }
}

}  // namespace belay::tool
