// What is said to etcd's JSON gateway (v3), what it answers, and what servers register in it. Pure
// code. Each text is read whole, or not at all.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "belay/resolver.h"

namespace belay::names {

// A key and its value, or that the key is gone.
struct EtcdEntry {
  std::string key;
  std::string value;
  std::int64_t revision = 0;
  bool is_gone = false;
};

struct EtcdRange {
  std::int64_t revision = 0;
  bool has_more = false;
  std::vector<EtcdEntry> entries;
};

// One line of a watch.
struct EtcdNews {
  std::int64_t revision = 0;  // of the registry when the line was written; 0: it does not say
  bool is_canceled = false;   // this watch says nothing more
  std::string why;            // of the cancelling
  std::vector<EtcdEntry> entries;
};

// All keys that begin with `prefix`, which must not be empty; at most `limit`.
std::string etcd_range_question(std::string_view prefix, std::size_t limit);
std::string etcd_watch_question(std::string_view prefix, std::int64_t from_revision);
std::string etcd_token_question(std::string_view user, std::string_view password);

std::optional<EtcdRange> read_etcd_range(std::string_view text);
std::optional<EtcdNews> read_etcd_news(std::string_view line);
std::optional<std::string> read_etcd_token(std::string_view text);

// The endpoints in one value: "host:port" as go-zero writes it, or kratos's JSON, of whose
// endpoints those of the protocol ("http", "https", "grpc", "grpcs") are taken. Nothing: the value
// is neither.
std::optional<std::vector<Endpoint>> read_registered(std::string_view value,
                                                     std::string_view protocol);

}  // namespace belay::names
