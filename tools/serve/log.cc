#include "serve/log.h"

#include <fmt/format.h>

#include <array>
#include <ctime>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/log.h"
#include "view/text.h"

namespace belay::tool {
namespace {

constexpr std::array<std::string_view, 4> kLevels = {"debug", "info", "warning", "error"};

// Format: "2026-03-01T13:05:06.789Z".
std::string time_text() {
  const auto ms = now().time_since_epoch().count();
  const std::time_t seconds = ms / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const auto size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  return fmt::format("{}.{:03}Z", std::string_view(text.data(), size), ms % 1000);
}

std::string json_line(std::string_view level, std::string_view message,
                      std::span<const ServeLog::Field> fields) {
  nlohmann::ordered_json object{{"time", time_text()}, {"level", level}, {"message", message}};
  for (const auto& [name, value] : fields) object[std::string(name)] = value;
  // In ASCII: some characters beyond it end a line or steer a terminal.
  return object.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string text_line(std::string_view level, std::string_view message,
                      std::span<const ServeLog::Field> fields) {
  auto line = fmt::format("{} {:7} {}", time_text(), level, printable(message));
  for (const auto& [name, value] : fields)
    line += fmt::format(" {}={}", name, printable(base::field_text(value)));
  return line + "\n";
}

std::string any_line(LogFormat format, LogLevel level, std::string_view message,
                     std::span<const ServeLog::Field> fields) {
  const auto name = kLevels[static_cast<std::size_t>(level)];
  return format == LogFormat::json ? json_line(name, message, fields)
                                   : text_line(name, message, fields);
}

}  // namespace

ServeLog::ServeLog(LogFormat format, LogLevel level, int fd)
    : format_(format), level_(level), queue_(fd, [format](std::uint64_t count) {
        return any_line(
            format, LogLevel::warning,
            fmt::format("{} lines of the log were lost: nobody read them in time", count), {});
      }) {}

void ServeLog::add(LogLevel level, std::string_view message, std::span<const Field> fields) {
  if (level >= level_) queue_.add(any_line(format_, level, message, fields));
}

void ServeLog::sink(const LogLine& line, void* user) {
  auto& log = *static_cast<ServeLog*>(user);
  std::vector<Field> fields;
  if (log.format_ == LogFormat::json) {  // the text names what matters to people
    for (const Field& field :
         {Field{"gid", line.gid}, Field{"branch", line.branch_id}, Field{"op", line.op},
          Field{"error", line.error}, Field{"trace", line.trace}}) {
      if (!field.second.empty()) fields.push_back(field);
    }
  }
  // The engine has its own level, which may change.
  log.queue_.add(any_line(log.format_, line.level, line.text, fields));
}

}  // namespace belay::tool
