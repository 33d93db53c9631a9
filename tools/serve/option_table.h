// Options that come from a flag, from the environment (BELAY_…) or from a configuration file; the
// first of these that has the option counts. Also prints the options in the format of the file,
// TOML: what is printed reads back to the same settings.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/number.h"
#include "belay/types.h"
#include "serve/config_file.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace belay::tool {

class OptionTable {
 public:
  using Words = std::vector<std::string>;

  // Options that are added from here on appear under this title in the help.
  void section(std::string title) { section_ = std::move(title); }
  // Each option is bound to a variable, which holds the default and must outlive the table.
  void text(const char* name, const char* type, std::string& into, const char* help);
  void flag(const char* name, bool& into, const char* help);
  void list(const char* name, const char* type, Words& into, const char* help);
  // `least` and `most` are both allowed.
  template <class Number>
  void count(const char* name, Number& into, const char* help,
             std::type_identity_t<Number> least = 0,
             std::type_identity_t<Number> most = std::numeric_limits<Number>::max());
  // "16777216", "16MiB"
  void bytes(const char* name, std::size_t& into, const char* help);
  void number(const char* name, double& into, const char* help);
  void duration(const char* name, Millis& into, const char* help);
  template <class Value>
  void choice(const char* name, const char* type, Value& into,
              std::vector<std::pair<const char*, Value>> values, const char* help);
  // Printed with "***" in place of passwords and tokens, and with a comment that says so. A value
  // with "***" is refused.
  void url(const char* name, std::string& into, const char* help);

  // Adds --config and all options to the command. Call it once, after all options were added.
  void add_to(CLI::App* command);
  // To be called after parsing: sets the variables. Returns what is wrong, and where it was set.
  std::optional<std::string> resolve();
  // The variables of the environment that look like options and are none.
  Words unknown_variables() const;
  std::string printed() const;
  // True if the option was given as a flag of the command.
  bool is_given(const std::string& name);

 private:
  struct Entry {
    std::string name;
    std::string type;
    std::string help;
    std::string section;
    enum class Kind : std::uint8_t { text, url, time, bytes, count, number, flag, list } kind{};
    // Returns what is wrong with the words, or nothing.
    std::function<std::optional<std::string>(const Words&)> set;
    std::function<Words()> get;
    Words given{};  // the words given by a flag
    CLI::Option* option = nullptr;
  };
  Entry& add(const char* name, const char* type, const char* help, Entry::Kind kind);
  Entry* find(const std::string& name);
  static bool takes(Entry::Kind kind, ConfigType type);
  static const char* wanted_by(Entry::Kind kind);
  static std::string printed(const Entry& entry);
  std::optional<std::string> set_from_file(const ConfigItem& item);
  std::optional<std::string> set_from_file();
  std::optional<std::string> set_from_words();

  std::deque<Entry> entries_;
  std::string section_ = "Options";
  std::string config_;
  CLI::Option* config_option_ = nullptr;
};

template <class Number>
void OptionTable::count(const char* name, Number& into, const char* help,
                        std::type_identity_t<Number> least, std::type_identity_t<Number> most) {
  auto& entry = add(name, "N", help, Entry::Kind::count);
  entry.set = [&into, least, most](const Words& words) -> std::optional<std::string> {
    const auto number = base::parse_number<std::uint64_t>(words.back());
    if (!number) return "'" + words.back() + "' is no whole number";
    if (*number < least || *number > most) {
      return words.back() + " is not between " + std::to_string(least) + " and " +
             std::to_string(most);
    }
    into = static_cast<Number>(*number);
    return std::nullopt;
  };
  entry.get = [&into] { return Words{std::to_string(into)}; };
}

template <class Value>
void OptionTable::choice(const char* name, const char* type, Value& into,
                         std::vector<std::pair<const char*, Value>> values, const char* help) {
  auto& entry = add(name, type, help, Entry::Kind::text);
  entry.set = [&into, values](const Words& words) -> std::optional<std::string> {
    std::string known;
    for (const auto& [word, value] : values) {
      if (words.back() == word) {
        into = value;
        return std::nullopt;
      }
      known += (known.empty() ? "" : ", ") + std::string(word);
    }
    return "'" + words.back() + "' is none of " + known;
  };
  entry.get = [&into, values] {
    for (const auto& [word, value] : values) {
      if (into == value) return Words{word};
    }
    return Words{};
  };
}

}  // namespace belay::tool
