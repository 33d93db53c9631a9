#include "serve/config_file.h"

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include "base/ascii.h"
#include "base/invalid.h"
#include "base/utf8.h"
#include "serve/read_file.h"

namespace belay::tool {
namespace {

constexpr std::string_view kTable = "serve";

bool is_strings(const toml::array& array) {
  return array.empty() || array.is_homogeneous(toml::node_type::string);
}

ConfigType type_of(const toml::node& node) {
  if (node.is_string()) return ConfigType::string;
  if (node.is_integer()) return ConfigType::integer;
  if (node.is_floating_point()) return ConfigType::number;
  if (node.is_boolean()) return ConfigType::boolean;
  return node.is_array() && is_strings(*node.as_array()) ? ConfigType::strings : ConfigType::other;
}

std::vector<std::string> words_of(const toml::node& node) {
  if (const auto* text = node.as_string()) return {text->get()};
  if (const auto* integer = node.as_integer()) return {std::to_string(integer->get())};
  if (const auto* number = node.as_floating_point()) return {fmt::format("{}", number->get())};
  if (const auto* boolean = node.as_boolean()) return {boolean->get() ? "true" : "false"};
  std::vector<std::string> words;
  if (const auto* array = node.as_array(); array != nullptr && is_strings(*array)) {
    for (const auto& element : *array) words.push_back(element.as_string()->get());
  }
  return words;
}

class ConfigReader {
 public:
  explicit ConfigReader(const std::string& path) : path_(path) {}

  Result<std::vector<ConfigItem>> read(const std::string& text) {
    const auto parsed = toml::parse(std::string_view(text), std::string_view(path_));
    if (!parsed) {
      const auto& error = parsed.error();
      return base::invalid(fmt::format("{}:{}: this is no TOML: {}", path_,
                                       error.source().begin.line, error.description()));
    }
    BELAY_TRY(take_all(parsed.table(), true));
    std::sort(lines_.begin(), lines_.end());
    std::vector<ConfigItem> items;
    for (const auto& [line, at] : lines_) items.push_back(std::move(items_[at]));
    return items;
  }

 private:
  std::string place(std::size_t line) const { return fmt::format("{}:{}", path_, line); }

  Result<> take_all(const toml::table& table, bool is_outermost) {
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      const auto line = key.source().begin.line;
      const bool is_ours = is_outermost && name == kTable;
      if (node.is_table() && is_ours) {
        BELAY_TRY(take_all(*node.as_table(), false));
      } else if (node.is_table() || node.is_array_of_tables()) {
        return base::invalid(fmt::format("{}: the table '{}' has no meaning here, only [{}] has",
                                         place(line), name, kTable));
      } else {
        BELAY_TRY(take(name, node, line));
      }
    }
    return {};
  }

  Result<> take(const std::string& name, const toml::node& node, std::size_t line) {
    const auto same = std::find_if(items_.begin(), items_.end(),
                                   [&](const ConfigItem& item) { return item.name == name; });
    if (same != items_.end()) {
      return base::invalid(
          fmt::format("{}: {}: it is set at {} too", place(line), name, same->place));
    }
    auto words = words_of(node);
    for (const auto& word : words) {
      if (!base::is_text(word))
        return base::invalid(fmt::format("{}: {}: NUL is no part of a text", place(line), name));
    }
    lines_.emplace_back(line, items_.size());
    items_.push_back({name, place(line), type_of(node), std::move(words)});
    return {};
  }

  const std::string& path_;
  std::vector<ConfigItem> items_;
  std::vector<std::pair<std::size_t, std::size_t>> lines_;  // the line and the place in `items_`
};

}  // namespace

const char* name_of(ConfigType type) {
  switch (type) {
    case ConfigType::string: return "a string";
    case ConfigType::integer: return "an integer";
    case ConfigType::number: return "a number";
    case ConfigType::boolean: return "true or false";
    case ConfigType::strings: return "an array of strings";
    case ConfigType::other: break;
  }
  return "something else";
}

Result<std::vector<ConfigItem>> read_config(const std::string& path) {
  const auto text = read_file(path);
  if (!text) return text.error();
  return ConfigReader(path).read(*text);
}

}  // namespace belay::tool
