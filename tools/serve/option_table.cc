#include "serve/option_table.h"

#include <unistd.h>

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/ascii.h"
#include "base/secrets.h"
#include "base/utf8.h"
#include "nearest.h"
#include "view/text.h"

namespace belay::tool {
namespace {

using Words = OptionTable::Words;

constexpr std::array<std::pair<const char*, std::uint64_t>, 3> kByteUnits = {
    {{"GiB", 1024 * 1024 * 1024}, {"MiB", 1024 * 1024}, {"KiB", 1024}}};
std::optional<std::uint64_t> parse_bytes(const std::string& text) {
  for (const auto& [unit, size] : kByteUnits) {
    if (!text.ends_with(unit)) continue;
    const auto number = base::parse_number<std::uint64_t>(text.substr(0, text.size() - 3));
    if (!number || *number > SIZE_MAX / size) return std::nullopt;
    return *number * size;
  }
  return base::parse_number<std::uint64_t>(text);
}

std::string bytes_text(std::uint64_t size) {
  for (const auto& [unit, of] : kByteUnits) {
    if (size >= of && size % of == 0) return std::to_string(size / of) + unit;
  }
  return std::to_string(size);
}

// A basic string of TOML.
std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (letter == '"' || letter == '\\')
      result.append({'\\', letter});
    else if (byte < 0x20 || byte == 0x7f)
      result += fmt::format("\\u{:04x}", byte);
    else
      result += letter;
  }
  return result + "\"";
}

constexpr std::string_view kPrefix = "BELAY_";

std::string in_environment(const std::string& name) {
  std::string result = std::string(kPrefix) + name;
  for (auto& letter : result) letter = letter == '-' ? '_' : base::upper(letter);
  return result;
}

std::optional<std::string> environment(const std::string& name) {
  const char* value = std::getenv(in_environment(name).c_str());
  return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
}

Words split(const std::string& text) {
  Words words;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(',', begin), text.size());
    if (end > begin) words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

}  // namespace

OptionTable::Entry& OptionTable::add(const char* name, const char* type, const char* help,
                                     Entry::Kind kind) {
  auto& entry = entries_.emplace_back();
  entry.name = name;
  entry.type = type;
  entry.help = help;
  entry.section = section_;
  entry.kind = kind;
  return entry;
}

OptionTable::Entry* OptionTable::find(const std::string& name) {
  const auto at = std::find_if(entries_.begin(), entries_.end(),
                               [&](const Entry& entry) { return entry.name == name; });
  return at == entries_.end() ? nullptr : &*at;
}

void OptionTable::text(const char* name, const char* type, std::string& into, const char* help) {
  auto& entry = add(name, type, help, Entry::Kind::text);
  entry.set = [&into](const Words& words) -> std::optional<std::string> {
    into = words.back();
    return std::nullopt;
  };
  entry.get = [&into] { return Words{into}; };
}

void OptionTable::url(const char* name, std::string& into, const char* help) {
  auto& entry = add(name, "URL", help, Entry::Kind::url);
  entry.set = [&into](const Words& words) -> std::optional<std::string> {
    if (words.back().find(base::kHidden) != std::string::npos)
      return fmt::format("'{}' stands for what was not shown, and must be put back", base::kHidden);
    into = words.back();
    return std::nullopt;
  };
  entry.get = [&into] { return Words{into}; };
}

void OptionTable::flag(const char* name, bool& into, const char* help) {
  auto& entry = add(name, "", help, Entry::Kind::flag);
  entry.set = [&into](const Words& words) -> std::optional<std::string> {
    const auto value = parse_flag(words.back());
    if (!value) return "'" + words.back() + "' is neither true nor false";
    into = *value;
    return std::nullopt;
  };
  entry.get = [&into] { return Words{into ? "true" : "false"}; };
}

void OptionTable::list(const char* name, const char* type, Words& into, const char* help) {
  auto& entry = add(name, type, help, Entry::Kind::list);
  entry.set = [&into](const Words& words) -> std::optional<std::string> {
    into = words;
    return std::nullopt;
  };
  entry.get = [&into] { return into; };
}

void OptionTable::bytes(const char* name, std::size_t& into, const char* help) {
  auto& entry = add(name, "BYTES", help, Entry::Kind::bytes);
  entry.set = [&into](const Words& words) -> std::optional<std::string> {
    const auto size = parse_bytes(words.back());
    if (!size || *size == 0) return "'" + words.back() + "' is no size such as 65536 or 16MiB";
    into = static_cast<std::size_t>(*size);
    return std::nullopt;
  };
  entry.get = [&into] { return Words{bytes_text(into)}; };
}

void OptionTable::number(const char* name, double& into, const char* help) {
  auto& entry = add(name, "NUMBER", help, Entry::Kind::number);
  entry.set = [&into](const Words& words) -> std::optional<std::string> {
    const auto value = base::parse_number<double>(words.back());
    if (!value || !(*value >= 0) || *value > 1e9)
      return "'" + words.back() + "' is no number from 0 to a billion";
    into = *value;
    return std::nullopt;
  };
  entry.get = [&into] { return Words{fmt::format("{}", into)}; };
}

void OptionTable::duration(const char* name, Millis& into, const char* help) {
  auto& entry = add(name, "TIME", help, Entry::Kind::time);
  entry.set = [&into](const Words& words) -> std::optional<std::string> {
    const auto time = parse_duration(words.back());
    if (!time) return "'" + words.back() + "' is no duration such as 500ms, 5s, 10m, 2h, 7d";
    into = *time;
    return std::nullopt;
  };
  entry.get = [&into] { return Words{duration_text(into)}; };
}

bool OptionTable::is_given(const std::string& name) {
  const auto* entry = find(name);
  return entry != nullptr && entry->option->count() > 0;
}

void OptionTable::add_to(CLI::App* command) {
  config_option_ = command->add_option("--config", config_,
                                       "a file with these options, as --print-config prints it");
  config_option_->type_name("PATH");
  for (auto& entry : entries_) {
    const auto flag = "--" + entry.name;
    if (entry.kind == Entry::Kind::flag) {
      entry.option = command->add_flag(flag, entry.given, entry.help);
    } else {
      const auto words = entry.get();
      const bool has_default = !words.empty() && !words.back().empty();
      const auto help = has_default ? entry.help + "; default: " + words.back() : entry.help;
      entry.option = command->add_option(flag, entry.given, help)->type_name(entry.type);
      entry.option->allow_extra_args(false);
      if (entry.kind != Entry::Kind::list) entry.option->take_last();
    }
    entry.option->group(entry.section);
  }
}

bool OptionTable::takes(Entry::Kind kind, ConfigType type) {
  switch (kind) {
    case Entry::Kind::text:
    case Entry::Kind::url:
    case Entry::Kind::time: return type == ConfigType::string;
    case Entry::Kind::bytes: return type == ConfigType::string || type == ConfigType::integer;
    case Entry::Kind::count: return type == ConfigType::integer;
    case Entry::Kind::number: return type == ConfigType::number || type == ConfigType::integer;
    case Entry::Kind::flag: return type == ConfigType::boolean;
    case Entry::Kind::list: return type == ConfigType::strings;
  }
  return false;
}

const char* OptionTable::wanted_by(Entry::Kind kind) {
  switch (kind) {
    case Entry::Kind::time: return "a string such as \"30s\"";
    case Entry::Kind::bytes: return "a string such as \"16MiB\", or an integer";
    case Entry::Kind::count: return name_of(ConfigType::integer);
    case Entry::Kind::number: return name_of(ConfigType::number);
    case Entry::Kind::flag: return name_of(ConfigType::boolean);
    case Entry::Kind::list: return name_of(ConfigType::strings);
    case Entry::Kind::text:
    case Entry::Kind::url: break;
  }
  return name_of(ConfigType::string);
}

std::optional<std::string> OptionTable::set_from_file(const ConfigItem& item) {
  const auto* entry = find(item.name);
  if (entry == nullptr) {
    Words names;
    for (const auto& one : entries_) names.push_back(one.name);
    return fmt::format("{}: there is no option '{}'{}", item.place, item.name,
                       did_you_mean(item.name, names));
  }
  if (!takes(entry->kind, item.type)) {
    return fmt::format("{}: {}: it must be {}, not {}", item.place, item.name,
                       wanted_by(entry->kind), name_of(item.type));
  }
  const auto wrong = entry->set(item.words);
  return wrong ? std::optional(fmt::format("{}: {}: {}", item.place, item.name, *wrong))
               : std::nullopt;
}

std::optional<std::string> OptionTable::set_from_file() {
  if (config_option_->count() == 0) config_ = environment("config").value_or("");
  if (config_.empty()) return std::nullopt;
  const auto items = read_config(config_);
  if (!items) return items.error().detail;
  for (const auto& item : *items) {
    if (auto wrong = set_from_file(item)) return wrong;
  }
  return std::nullopt;
}

// From a flag, or else from the environment.
std::optional<std::string> OptionTable::set_from_words() {
  const auto set = [](Entry& entry, const Words& words, const std::string& where) {
    auto wrong = entry.set(words);
    return wrong ? std::optional(where + ": " + *wrong) : std::nullopt;
  };
  for (auto& entry : entries_) {
    std::optional<std::string> wrong;
    if (entry.option->count() > 0) {
      wrong = set(entry, entry.given, "--" + entry.name);
    } else if (const auto value = environment(entry.name)) {
      const auto words = entry.kind == Entry::Kind::list ? split(*value) : Words{*value};
      wrong = set(entry, words, in_environment(entry.name));
    }
    if (wrong) return wrong;
  }
  return std::nullopt;
}

std::optional<std::string> OptionTable::resolve() {
  auto wrong = set_from_file();
  return wrong ? wrong : set_from_words();
}

OptionTable::Words OptionTable::unknown_variables() const {
  Words known = {in_environment("config")};
  for (const auto& entry : entries_) known.push_back(in_environment(entry.name));
  Words unknown;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    const auto name = text.substr(0, text.find('='));
    const bool ours = name.starts_with(kPrefix);
    if (ours && std::find(known.begin(), known.end(), name) == known.end())
      unknown.emplace_back(name);
  }
  return unknown;
}

std::string OptionTable::printed(const Entry& entry) {
  const auto words = entry.get();
  const auto is_text = [](const std::string& word) { return base::is_text(word); };
  if (!std::all_of(words.begin(), words.end(), is_text)) {
    return fmt::format("# {} is no UTF-8, and cannot stand in a file\n", entry.name);
  }
  const auto line = [&](const std::string& value) {
    return fmt::format("{} = {}", entry.name, value);
  };
  const auto word = words.empty() ? "" : words.back();
  switch (entry.kind) {
    case Entry::Kind::list: {
      std::string value;
      for (const auto& one : words) value += (value.empty() ? "" : ", ") + quoted(one);
      return line("[" + value + "]") + "\n";
    }
    case Entry::Kind::url: {
      const auto shown = base::url_without_secrets(word);
      const bool hides = shown.find(base::kHidden) != shown.npos;
      const auto* note = hides ? "  # *** stands for what is not shown: put it back" : "";
      return line(quoted(shown)) + note + "\n";
    }
    case Entry::Kind::text:
    case Entry::Kind::time:
    case Entry::Kind::bytes: return line(quoted(word)) + "\n";
    case Entry::Kind::count:
    case Entry::Kind::number:
    case Entry::Kind::flag: break;
  }
  return line(word) + "\n";
}

std::string OptionTable::printed() const {
  std::string result;
  std::string section;
  for (const auto& entry : entries_) {
    if (entry.section != section) {
      result += fmt::format("{}# {}\n", section.empty() ? "" : "\n", entry.section);
      section = entry.section;
    }
    result += printed(entry);
  }
  return result;
}

}  // namespace belay::tool
