#include "names/etcd_json.h"

#include <utility>

#include "base/base64.h"
#include "base/json_cursor.h"
#include "base/json_text.h"
#include "base/number.h"
#include "names/name.h"

namespace belay::names {
namespace {

using base::JsonCursor;

// gRPC's JSON writes 64-bit numbers as strings, and leaves zeros out.
std::optional<std::int64_t> read_long(JsonCursor& in) {
  auto text = in.raw();
  if (text.size() >= 2 && text.front() == '"') text = text.substr(1, text.size() - 2);
  return base::parse_number<std::int64_t>(text);
}

bool read_bytes(JsonCursor& in, std::string& out) {
  auto bytes = base::from_base64(in.text());
  if (!bytes) return false;
  out = std::move(*bytes);
  return true;
}

bool read_header(JsonCursor& in, std::int64_t& revision) {
  bool ok = true;
  for (in.enter('{'); in.more('}');) {
    if (in.key() == "revision") {
      const auto number = read_long(in);
      ok = ok && number;
      revision = number.value_or(0);
    } else {
      in.skip();
    }
  }
  return ok;
}

bool read_pair(JsonCursor& in, EtcdEntry& entry) {
  bool ok = true;
  for (in.enter('{'); in.more('}');) {
    const auto name = in.key();
    if (name == "key") {
      ok = read_bytes(in, entry.key) && ok;
    } else if (name == "value") {
      ok = read_bytes(in, entry.value) && ok;
    } else if (name == "mod_revision") {
      const auto number = read_long(in);
      ok = ok && number;
      entry.revision = number.value_or(0);
    } else {
      in.skip();
    }
  }
  return ok;
}

bool read_event(JsonCursor& in, EtcdEntry& entry) {
  bool ok = true;
  for (in.enter('{'); in.more('}');) {
    const auto name = in.key();
    if (name == "type") {
      entry.is_gone = in.text() == "DELETE";
    } else if (name == "kv") {
      ok = read_pair(in, entry) && ok;
    } else {
      in.skip();
    }
  }
  return ok;
}

bool read_result(JsonCursor& in, EtcdNews& news) {
  bool ok = true;
  for (in.enter('{'); in.more('}');) {
    const auto name = in.key();
    if (name == "canceled") {
      news.is_canceled = in.flag();
    } else if (name == "header") {
      ok = read_header(in, news.revision) && ok;
    } else if (name == "cancel_reason") {
      news.why = in.text();
    } else if (name == "compact_revision") {
      in.skip();
      news.why = "its history was compacted";
    } else if (name == "events") {
      for (in.enter('['); in.more(']');) {
        news.entries.emplace_back();
        ok = read_event(in, news.entries.back()) && ok;
      }
    } else {
      in.skip();
    }
  }
  return ok;
}

void append_member(std::string& out, std::string_view name, std::string_view bytes) {
  out += out.size() > 1 && out.back() != '{' ? ",\"" : "\"";
  out.append(name).append("\":\"");
  base::append_base64(out, bytes);
  out += '"';
}

std::string prefix_members(std::string_view prefix) {
  std::string end(prefix);
  ++end.back();  // the first key that does not begin so: no prefix here ends in the byte 0xff
  std::string out;
  append_member(out, "key", prefix);
  append_member(out, "range_end", end);
  return out;
}

// "grpc://host:port?isSecure=false". Nothing: it is something else.
struct Registered {
  std::string scheme;
  Place place;
};
std::optional<Registered> read_url(std::string_view text) {
  const auto scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) return std::nullopt;
  Registered out{std::string(text.substr(0, scheme_end)), {}};
  text.remove_prefix(scheme_end + 3);
  const auto end = text.find_first_of("/?");
  const auto rest = end == std::string_view::npos ? std::string_view() : text.substr(end);
  auto place = parse_place(text.substr(0, end));
  if (!place) return std::nullopt;
  out.place = std::move(*place);
  // kratos says of TLS in the query what others say in the scheme.
  if (rest.find("isSecure=true") != std::string_view::npos && !out.scheme.ends_with('s'))
    out.scheme += 's';
  return out;
}

}  // namespace

std::string etcd_range_question(std::string_view prefix, std::size_t limit) {
  return "{" + prefix_members(prefix) + R"(,"limit":")" + std::to_string(limit) + "\"}";
}

std::string etcd_watch_question(std::string_view prefix, std::int64_t from_revision) {
  return R"({"create_request":{)" + prefix_members(prefix) + R"(,"start_revision":")" +
         std::to_string(from_revision) + "\"}}";
}

std::string etcd_token_question(std::string_view user, std::string_view password) {
  std::string out = R"({"name":)";
  base::append_json_string(out, user, base::OddBytes::replaced);
  out += R"(,"password":)";
  base::append_json_string(out, password, base::OddBytes::replaced);
  return out + '}';
}

std::optional<EtcdRange> read_etcd_range(std::string_view text) {
  EtcdRange range;
  bool ok = true;
  JsonCursor in(text);
  for (in.enter('{'); in.more('}');) {
    const auto name = in.key();
    if (name == "header") {
      ok = read_header(in, range.revision) && ok;
    } else if (name == "more") {
      range.has_more = in.flag();
    } else if (name == "kvs") {
      for (in.enter('['); in.more(']');) {
        range.entries.emplace_back();
        ok = read_pair(in, range.entries.back()) && ok;
      }
    } else {
      in.skip();
    }
  }
  if (!ok || !in.at_end() || range.revision <= 0) return std::nullopt;
  return range;
}

std::optional<EtcdNews> read_etcd_news(std::string_view line) {
  EtcdNews news;
  bool ok = true;
  JsonCursor in(line);
  for (in.enter('{'); in.more('}');) {
    const auto name = in.key();
    if (name == "result") {
      ok = read_result(in, news) && ok;
    } else if (name == "error") {
      news.is_canceled = true;
      news.why = "it ended the watch: " + std::string(in.raw().substr(0, 200));
    } else {
      in.skip();
    }
  }
  if (!ok || !in.at_end()) return std::nullopt;
  return news;
}

std::optional<std::string> read_etcd_token(std::string_view text) {
  std::string token;
  JsonCursor in(text);
  for (in.enter('{'); in.more('}');) {
    if (in.key() == "token") {
      token = in.text();
    } else {
      in.skip();
    }
  }
  if (!in.at_end() || token.empty()) return std::nullopt;
  return token;
}

std::optional<std::vector<Endpoint>> read_registered(std::string_view value,
                                                     std::string_view protocol) {
  std::vector<Endpoint> endpoints;
  if (!value.starts_with('{')) {
    auto place = parse_place(value);
    if (!place) return std::nullopt;
    endpoints.push_back({.host = std::move(place->host), .port = place->port});
    return endpoints;
  }
  bool has_list = false;
  JsonCursor in(value);
  for (in.enter('{'); in.more('}');) {
    if (in.key() != "endpoints") {
      in.skip();
      continue;
    }
    has_list = true;
    for (in.enter('['); in.more(']');) {
      auto url = read_url(in.text());
      if (!url) return std::nullopt;
      if (url->scheme == protocol)
        endpoints.push_back({.host = std::move(url->place.host), .port = url->place.port});
    }
  }
  if (!has_list || !in.at_end()) return std::nullopt;
  return endpoints;
}

}  // namespace belay::names
