#include "demo/payload.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace belay::demo {

std::string payload_of(std::int64_t account, std::int64_t cents) {
  return fmt::format(R"({{"account":{},"cents":{}}})", account, cents);
}

Leg leg_of(const Call& call, Side side, Mode mode) {
  const auto json = nlohmann::json::parse(call.payload, nullptr, false);
  const auto field = [&json](const char* name) {
    const bool there = json.is_object() && json.contains(name) && json[name].is_number_integer();
    return there ? json[name].get<std::int64_t>() : 0;
  };
  return {std::string(call.gid),
          std::string(call.branch_id),
          call.op,
          side,
          field("account"),
          field("cents"),
          mode};
}

}  // namespace belay::demo
