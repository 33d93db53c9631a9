#include "served_json.h"

#include <nlohmann/json.hpp>

namespace belay::bench {
namespace {

using ServedJson = nlohmann::json;

ServedJson json_of(const Tally& tally) { return {tally.calls, tally.gids}; }

Tally tally_of(const ServedJson& json) { return {json.at(0), json.at(1)}; }

}  // namespace

std::string to_json(const ServedResults& results) {
  ServedJson json = {{"submitted", results.submitted},
                     {"failing_submitted", results.failing_submitted},
                     {"succeeded", json_of(results.succeeded)},
                     {"failed", json_of(results.failed)},
                     {"seconds", results.seconds},
                     {"cpu_seconds", results.cpu_seconds},
                     {"samples", ServedJson::array()},
                     {"latencies", ServedJson::array()}};
  for (const auto& sample : results.samples) {
    json["samples"].push_back({sample.gid, sample.status == Status::failed});
  }
  results.latencies->for_each([&](std::uint64_t ns, std::uint64_t times) {
    json["latencies"].push_back({ns, times});
  });
  return json.dump();
}

std::string problem_json(std::string_view problem) {
  return ServedJson({{"problem", problem}})
      .dump(-1, ' ', false, ServedJson::error_handler_t::replace);
}

Result<ServedResults> served_results(std::string_view line) try {
  const auto json = ServedJson::parse(line);
  if (json.contains("problem")) {
    return Error{ErrorCode::storage, json["problem"].get<std::string>()};
  }
  ServedResults results;
  results.submitted = json.at("submitted");
  results.failing_submitted = json.at("failing_submitted");
  results.succeeded = tally_of(json.at("succeeded"));
  results.failed = tally_of(json.at("failed"));
  results.seconds = json.at("seconds");
  results.cpu_seconds = json.at("cpu_seconds");
  for (const auto& sample : json.at("samples")) {
    results.samples.push_back({sample.at(0), sample.at(1) ? Status::failed : Status::succeed});
  }
  for (const auto& latency : json.at("latencies")) {
    results.latencies->record(latency.at(0), latency.at(1));
  }
  return results;
} catch (const ServedJson::exception& wrong) {
  return Error{ErrorCode::storage, std::string("the load says nonsense: ") + wrong.what()};
}

}  // namespace belay::bench
