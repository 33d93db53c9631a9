// Readable text: escapes, widths, times and sizes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "belay/types.h"

namespace belay::tool {

// Makes text safe for a terminal and a table: control characters, direction marks and bytes that
// are not UTF-8 appear as \n, \x1b, \u202e.
std::string printable(std::string_view text);
// The number of terminal cells that a text takes.
std::size_t display_width(std::string_view printable_text);
// The part of a printable text that takes so many cells, with a mark at its end if it was cut.
std::string fitted(const std::string& printable_text, std::size_t columns);
// The text in lines of at most so many cells, broken at blanks; the lines after the first begin
// with `indent` blanks. A word that is too long has a line of its own.
std::string wrapped(const std::string& printable_text, std::size_t columns, std::size_t indent = 0);

TimePoint now();
// Local time, "2026-03-01 14:05:06.789 +0100".
std::string absolute(TimePoint at);
// Two units at most: "350ms", "4.2s", "3m12s", "2h05m", "3d04h".
std::string duration(Millis span);
std::string ago(TimePoint at, TimePoint now);  // "4.2s ago"
std::string due(TimePoint at, TimePoint now);  // "in 8.0s", "now", "2.0s overdue"
std::string bytes(std::uint64_t count);        // "512 B", "1.5 MiB"
std::string count(std::uint64_t number);       // "1,234,567"

// Parses "500ms", "5s", "10m", "2h" or "7d"; nothing if the text is none of these or too large.
std::optional<Millis> parse_duration(std::string_view text);
// Parses "true" or "false", also as 1, yes, on, 0, no, off.
std::optional<bool> parse_flag(std::string_view text);
// What `parse_duration` reads as this span, in the largest unit that says it exactly; "0s" for
// none.
std::string duration_text(Millis span);

// On one line. Bytes that are not UTF-8 become U+FFFD.
std::string json_text(const nlohmann::ordered_json& object);

}  // namespace belay::tool
