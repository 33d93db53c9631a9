#include "names/consul_json.h"

#include <cstdint>
#include <string>
#include <utility>

#include "base/json_cursor.h"

namespace belay::names {
namespace {

// Calls `read` for each member's name; what it does not read is skipped.
template <class Read>
void read_members(base::JsonCursor& in, Read read) {
  for (in.enter('{'); in.more('}');) {
    if (!read(in.key())) in.skip();
  }
}

struct HealthEntry {
  std::string node, service;
  std::int64_t port = 0, weight = 1;
};

void read_service(base::JsonCursor& in, HealthEntry& entry) {
  read_members(in, [&](const std::string& name) {
    if (name == "Address") {
      entry.service = in.text_or_null();
    } else if (name == "Port") {
      entry.port = in.integer();
    } else if (name == "Weights" && !in.take_null()) {
      read_members(in, [&](const std::string& weight) {
        if (weight == "Passing") entry.weight = in.integer();
        return weight == "Passing";
      });
    } else {
      return name == "Weights";
    }
    return true;
  });
}

void read_entry(base::JsonCursor& in, HealthEntry& entry) {
  read_members(in, [&](const std::string& name) {
    if (name == "Service") {
      read_service(in, entry);
    } else if (name == "Node") {
      read_members(in, [&](const std::string& member) {
        if (member == "Address") entry.node = in.text_or_null();
        return member == "Address";
      });
    } else {
      return false;
    }
    return true;
  });
}

}  // namespace

std::optional<std::vector<Endpoint>> read_consul_health(std::string_view text) {
  std::vector<Endpoint> endpoints;
  base::JsonCursor in(text);
  for (in.enter('['); in.more(']');) {
    HealthEntry entry;
    read_entry(in, entry);
    if (entry.port < 0 || entry.port > UINT16_MAX) entry.port = 0;        // left out by the table,
    if (entry.weight < 0 || entry.weight > UINT16_MAX) entry.weight = 0;  // which says so
    endpoints.push_back({.host = std::move(entry.service.empty() ? entry.node : entry.service),
                         .port = static_cast<std::uint16_t>(entry.port),
                         .weight = static_cast<std::uint32_t>(entry.weight)});
  }
  if (!in.at_end()) return std::nullopt;
  return endpoints;
}

}  // namespace belay::names
