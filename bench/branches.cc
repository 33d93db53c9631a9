#include "branches.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace belay::bench {
namespace {

constexpr std::chrono::seconds kServicePatience{20};

Error nonsense(std::string_view what) {
  return {ErrorCode::storage, fmt::format("the branch service says nonsense: {}", what)};
}

Tally sum_of(const Tally& one, const Tally& other) {
  return {one.calls + other.calls, one.gids + other.gids};
}

}  // namespace

Result<Branches> Branches::start(const BranchService& service, const Settings& settings) {
  auto command = service.command;
  command.push_back(std::to_string(settings.branches));
  command.push_back(std::to_string(settings.payload_bytes));
  auto child = Child::start(command);
  if (!child) return child.error();
  Branches branches(std::move(*child), service, settings.branches);
  const auto greeting = branches.child_.hear(kServicePatience);
  if (!greeting) return greeting.error();
  const char* const end = greeting->data() + greeting->size();
  const auto parsed = std::from_chars(greeting->data(), end, branches.port_);
  if (parsed.ec != std::errc{} || parsed.ptr != end) return nonsense(*greeting);
  return branches;
}

std::string Branches::url(Path path) const {
  return fmt::format("{}{}{}{}", url_begin_, port_, url_end_,
                     kPaths[static_cast<std::size_t>(path)]);
}

Result<> Branches::count() {
  BELAY_TRY(child_.say("count\n"));
  const auto line = child_.hear(kServicePatience);
  if (!line) return line.error();
  const auto json = nlohmann::json::parse(*line, nullptr, false);
  if (!json.is_object() || json.value("by_path", nlohmann::json()).size() != kPaths.size()) {
    return nonsense(*line);
  }
  Tallies seen;
  seen.strange = json.value("strange", std::uint64_t{0});
  for (std::size_t path = 0; path < kPaths.size(); ++path) {
    for (const auto& tally : json["by_path"][path]) {
      seen.by_path[path].push_back({tally.at(0), tally.at(1)});
    }
    if (seen.by_path[path].size() != branches_) return nonsense(*line);
  }
  seen_ = std::move(seen);
  return {};
}

std::uint64_t Branches::calls() const noexcept {
  std::uint64_t sum = seen_.strange;
  for (const auto& tallies : seen_.by_path) {
    for (const auto& tally : tallies) sum += tally.calls;
  }
  return sum;
}

double Branches::calls_per_transaction() const noexcept {
  const auto transactions = std::max<std::uint64_t>(1, succeeded_.calls + failed_.calls);
  return static_cast<double>(calls()) / static_cast<double>(transactions);
}

// The last branch of a failing transaction refuses; then all branches are undone, the last one too.
void Branches::verify(std::vector<std::string>& problems) const {
  expect(Path::to_do, sum_of(succeeded_, failed_), succeeded_, problems);
  expect(Path::to_refuse, {}, failed_, problems);
  expect(Path::to_undo, failed_, failed_, problems);
  if (seen_.strange > 0) {
    problems.push_back(fmt::format("{} calls were not of any transaction", seen_.strange));
  }
}

void Branches::expect(Path path, const Tally& others, const Tally& last,
                      std::vector<std::string>& problems) const {
  const auto at = static_cast<std::size_t>(path);
  for (std::size_t i = 0; i < branches_; ++i) {
    const auto& wanted = i + 1 == branches_ ? last : others;
    const auto& seen = seen_.by_path[at][i];
    if (seen == wanted) continue;
    problems.push_back(fmt::format(
        "branch {} was asked for {} {} times instead of {}{}", i + 1, kPaths[at], seen.calls,
        wanted.calls, seen.calls == wanted.calls ? ", and not by every transaction once" : ""));
  }
}

}  // namespace belay::bench
