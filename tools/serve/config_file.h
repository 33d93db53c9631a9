// Reads a file of options, TOML: NAME = VALUE lines, which may stand in a table [serve].
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "belay/result.h"

namespace belay::tool {

enum class ConfigType : std::uint8_t { string, integer, number, boolean, strings, other };

struct ConfigItem {
  std::string name;
  std::string place;  // "belay.toml:3"
  ConfigType type{};
  std::vector<std::string> words{};  // one; as many as there are for `strings`; none for `other`
};

// "an integer"
const char* name_of(ConfigType type);

// The items in the order of their lines; no name is there twice. Errors: those of read_file, and
// invalid_argument for what is no TOML and for other tables, with the file and the line.
Result<std::vector<ConfigItem>> read_config(const std::string& path);

}  // namespace belay::tool
