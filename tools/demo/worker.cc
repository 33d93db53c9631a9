#include "demo/worker.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

namespace belay::demo {
namespace {

// The lines: "start OPEN RECOVERED", "answer INDEX VERDICT REPEATED MICROS ERROR" and "end RUN
// STUCK GAVE_UP".
constexpr std::size_t kErrorBytesMax = 500;

void tell_of(const Answer& answer) {
  std::string error = answer.error.substr(0, kErrorBytesMax);
  for (auto& c : error) c = c == '\n' ? ' ' : c;
  tell(fmt::format("answer {} {} {} {} {}\n", answer.index, static_cast<unsigned>(answer.verdict),
                   answer.repeated ? 1 : 0, answer.micros, error));
}

std::uint64_t take_number(std::string_view& line) {
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(line.data(), line.data() + line.size(), number);
  line.remove_prefix(static_cast<std::size_t>(parsed.ptr - line.data()));
  if (!line.empty()) line.remove_prefix(1);
  return number;
}

WorkerEvent event_of(std::string_view line) {
  WorkerEvent event;
  const auto word = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(word.size() + 1, line.size()));
  if (word == "answer") {
    auto& answer = event.answer.emplace();
    answer.index = take_number(line);
    answer.verdict = static_cast<Verdict>(take_number(line));
    answer.repeated = take_number(line) != 0;
    answer.micros = take_number(line);
    answer.error = line;
  } else if (word == "start") {
    auto& start = event.start.emplace();
    start.open_micros = take_number(line);
    start.recovered = take_number(line);
  } else if (word == "end") {
    auto& end = event.end.emplace();
    end.run_micros = take_number(line);
    end.stuck = take_number(line);
    end.gave_up = take_number(line) != 0;
  }
  return event;
}

}  // namespace

Result<> run_worker(const Settings& settings, const std::vector<Transfer>& transfers) {
  RunWatcher watcher;
  watcher.started = [](const RunStart& start) {
    tell(fmt::format("start {} {}\n", start.open_micros, start.recovered));
  };
  watcher.answered = [](const Answer& answer) { tell_of(answer); };
  watcher.tick = [] {};
  const auto end = run_transfers(settings, transfers, watcher);
  if (!end) return end.error();
  tell(fmt::format("end {} {} {}\n", end->run_micros, end->stuck, end->gave_up ? 1 : 0));
  return {};
}

std::optional<WorkerEvent> next_event(Child& worker) {
  const auto line = worker.next_line();
  return line ? std::optional(event_of(*line)) : std::nullopt;
}

}  // namespace belay::demo
