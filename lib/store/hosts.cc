#include "store/hosts.h"

#include <utility>

#include "base/number.h"
#include "store/json.h"

namespace belay::store {
namespace {

// SQLite itself parses the JSON.
constexpr std::string_view kReadHosts =
    "SELECT json_extract(one.value, '$.host'), json_extract(one.value, '$.breaker'),"
    " json_extract(one.value, '$.in_flight'), json_extract(one.value, '$.success'),"
    " json_extract(one.value, '$.failure'), json_extract(one.value, '$.ongoing'),"
    " json_extract(one.value, '$.unknown'), json_extract(one.value, '$.no_connection'),"
    " json_extract(one.value, '$.breaker_opened')"
    " FROM main.meta, json_each(meta.value) AS one"
    " WHERE meta.name = 'hosts' AND json_valid(meta.value)";

void put(std::string& out, std::string_view name, std::uint64_t number) {
  out.append(",\"").append(name).append("\":");
  base::append_number(out, number);
}

BreakerState breaker_of(std::string_view name) {
  for (const auto state : {BreakerState::open, BreakerState::half_open}) {
    if (name == name_of(state)) return state;
  }
  return BreakerState::closed;
}

}  // namespace

std::string render_hosts(const std::vector<HostFigures>& hosts) {
  std::string out = "[";
  for (const auto& host : hosts) {
    if (out.size() > 1) out.push_back(',');
    out.append("{\"host\":");
    json::put_text(out, host.host);
    out.append(",\"breaker\":");
    json::put_text(out, name_of(host.breaker));
    put(out, "in_flight", host.in_flight);
    put(out, "success", host.success);
    put(out, "failure", host.failure);
    put(out, "ongoing", host.ongoing);
    put(out, "unknown", host.unknown);
    put(out, "no_connection", host.no_connection);
    put(out, "breaker_opened", host.breaker_opened);
    out.push_back('}');
  }
  out.push_back(']');
  return out;
}

Result<> write_hosts(sqlite::Statement& set, const std::vector<HostFigures>& hosts) {
  const auto text = render_hosts(hosts);
  set.bind_text(1, "hosts");
  set.bind_text(2, text);
  return set.run();
}

Result<std::vector<HostFigures>> read_hosts(sqlite::Database& database) {
  auto read = sqlite::Statement::prepare(database.handle(), kReadHosts);
  if (!read) return read.error();
  std::vector<HostFigures> hosts;
  while (true) {
    auto row = read->step();
    if (!row) return row.error();
    if (!*row) return hosts;
    hosts.push_back({.host = std::string(read->bytes(0)),
                     .breaker = breaker_of(read->bytes(1)),
                     .in_flight = read->number(2),
                     .success = read->number(3),
                     .failure = read->number(4),
                     .ongoing = read->number(5),
                     .unknown = read->number(6),
                     .no_connection = read->number(7),
                     .breaker_opened = read->number(8)});
  }
}

}  // namespace belay::store
