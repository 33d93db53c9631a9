// What Consul says of a service's health: GET /v1/health/service/NAME. Pure code.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "belay/resolver.h"

namespace belay::names {

// One endpoint for each entry: the service's address, or the node's if it has none, with the weight
// that it has while its checks pass. Nothing: the text is anything else.
std::optional<std::vector<Endpoint>> read_consul_health(std::string_view text);

}  // namespace belay::names
