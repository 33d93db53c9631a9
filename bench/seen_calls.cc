#include "seen_calls.h"

#include <algorithm>
#include <charconv>

#include <nlohmann/json.hpp>

namespace belay::bench {

SeenCalls::SeenCalls(const ServiceSettings& settings) : settings_(settings) {
  for (auto& tallies : tallies_.by_path) tallies.resize(settings.branches);
}

std::optional<Path> SeenCalls::add(const SeenCall& call) {
  const auto found = std::find(kPaths.begin(), kPaths.end(), call.path);
  const auto& id = call.branch_id;
  std::uint32_t branch = 0;
  const auto parsed = std::from_chars(id.data(), id.data() + id.size(), branch);
  const bool known = found != kPaths.end() && parsed.ec == std::errc{} && branch >= 1 &&
                     branch <= settings_.branches;
  const auto path = static_cast<Path>(found - kPaths.begin());
  if (!known || call.payload_bytes != settings_.payload_bytes ||
      call.op != (path == Path::to_undo ? "compensate" : "action") || call.trans_type != "saga") {
    ++tallies_.strange;
    return std::nullopt;
  }
  tallies_.by_path[static_cast<std::size_t>(path)][branch - 1].add(call.gid);
  return path;
}

std::string SeenCalls::counts() const {
  nlohmann::json json;
  json["strange"] = tallies_.strange;
  for (const auto& tallies : tallies_.by_path) {
    auto& list = json["by_path"].emplace_back(nlohmann::json::array());
    for (const auto& tally : tallies) list.push_back({tally.calls, tally.gids});
  }
  return json.dump() + "\n";
}

}  // namespace belay::bench
