// The files of the console, as the build embedded them (console/embed.py).
#pragma once

#include <span>
#include <string_view>

namespace belay::tool {

struct ConsoleFile {
  std::string_view name;  // "main.js"
  std::string_view content_type;
  std::string_view etag;  // with its quotes
  std::string_view text;
};

std::span<const ConsoleFile> console_files();

}  // namespace belay::tool
