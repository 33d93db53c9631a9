#include "serve/option_words.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace belay::tool {
namespace {

constexpr std::array<std::string_view, 3> kStructs = {"HookOptions::", "Limits::", "Options::"};
// The fields whose options have another name.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kOtherNames = {
    {{"allowed_targets", "allow-target"},
     {"ca_file", "hook-ca-file"},
     {"client_cert_file", "hook-client-cert"},
     {"client_key_file", "hook-client-key"}}};

std::string option_of(std::string_view field) {
  for (const auto& [name, option] : kOtherNames) {
    if (field == name) return "--" + std::string(option);
  }
  std::string option = "--" + std::string(field);
  for (auto& letter : option) {
    if (letter == '_' || letter == '.') letter = '-';
  }
  return option;
}

// The name there, without the punctuation behind it.
std::string word_at(const std::string& text, std::size_t at) {
  constexpr const char* kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_.:";
  auto end = std::min(text.find_first_not_of(kLetters, at), text.size());
  while (end > at && (text[end - 1] == ':' || text[end - 1] == '.')) --end;
  return text.substr(at, end - at);
}

// "Options::stuck_after" and "stuck_after" → "stuck_after"; empty if the word names no field.
std::string field_of(std::string word) {
  for (const auto name : kStructs) {
    if (word.starts_with(name)) return word.substr(name.size());
  }
  return word.find('_') == word.npos ? "" : word;
}

}  // namespace

std::optional<std::string> in_option_words(const Error& error) {
  const auto& detail = error.detail;
  const bool is_about_field = std::any_of(kStructs.begin(), kStructs.end(), [&](auto name) {
    return error.code == ErrorCode::invalid_argument ? detail.find(name) != detail.npos
                                                     : detail.starts_with(name);
  });
  if (!is_about_field) return std::nullopt;
  std::string result;
  bool is_quoted = false;  // what an operator wrote, and no field
  for (std::size_t at = 0; at < detail.size();) {
    const auto word = is_quoted ? "" : word_at(detail, at);
    if (word.empty()) {
      is_quoted = is_quoted != (detail[at] == '\'');
      result += detail[at++];
      continue;
    }
    const auto field = field_of(word);
    result += field.empty() ? word : option_of(field);
    at += word.size();
  }
  return result;
}

}  // namespace belay::tool
