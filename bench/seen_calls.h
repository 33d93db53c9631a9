// The calls that a branch service has seen: counted, and told to the bench on request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tally.h"

namespace belay::bench {

struct ServiceSettings {
  std::uint32_t branches = 0;
  std::size_t payload_bytes = 0;
};

struct SeenCall {
  std::string_view path, branch_id, op, trans_type, gid;
  std::size_t payload_bytes = 0;
};

class SeenCalls {
 public:
  explicit SeenCalls(const ServiceSettings& settings);

  // Nothing: it is a call that no transaction has.
  std::optional<Path> add(const SeenCall& call);
  // As a line of JSON.
  std::string counts() const;

 private:
  const ServiceSettings settings_;
  Tallies tallies_;
};

}  // namespace belay::bench
