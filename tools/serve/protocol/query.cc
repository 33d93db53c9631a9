// query and all: read transactions from the state file, without the engine.
#include <algorithm>
#include <chrono>
#include <utility>

#include "serve/protocol/handlers.h"
#include "serve/protocol/parse.h"
#include "serve/protocol/rows.h"

namespace belay::protocol {
namespace {

constexpr std::int64_t kRowsDefault = 100;
constexpr std::int64_t kRowsMax = 1'000;  // each row contains its definition
// The filter by age may be off by this much; the other filters are exact.
constexpr Millis kClockSlack{2'000};

struct ListRequest {
  std::string gid;
  Filter filter;
  bool is_empty = false;                 // the filter has a value that no transaction can have
  std::optional<TimePoint> first, last;  // the limits of created_at, both included
};

// Milliseconds since the epoch; only whole seconds count.
Result<std::optional<TimePoint>> time_of(const http::Request& request, std::string_view name) {
  using Time = std::optional<TimePoint>;
  const auto millis = query_integer(request, name, 0);
  if (!millis) return millis.error();
  if (*millis <= 0) return Time();
  constexpr std::int64_t kMost = 250'000'000'000'000;  // year 9892: later years cannot be written
  return Time(TimePoint(Millis(std::min(*millis, kMost) / 1'000 * 1'000)));
}

Result<> read_times(const http::Request& request, ListRequest& list) {
  auto first = time_of(request, "createTimeStart");
  if (!first) return first.error();
  auto last = time_of(request, "createTimeEnd");
  if (!last) return last.error();
  list.first = *first;
  list.last = *last;
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  if (list.first) list.filter.newer_than = std::max(now - *list.first + kClockSlack, Millis{0});
  if (list.last) {
    list.last = *list.last + Millis{999};
    list.filter.older_than = std::max(now - *list.last - kClockSlack, Millis{0});
  }
  return {};
}

Result<ListRequest> read_list(const http::Request& request) {
  ListRequest list;
  list.gid = request.query_value("gid");
  const auto position = query_integer(request, "position", 0);
  if (!position) return position.error();
  const auto limit = query_integer(request, "limit", kRowsDefault);
  if (!limit) return limit.error();
  list.filter.before_id = std::max<std::int64_t>(*position, 0);
  list.filter.limit =
      static_cast<std::uint32_t>(*limit <= 0 ? kRowsDefault : std::min(*limit, kRowsMax));
  if (const auto status = request.query_value("status"); !status.empty()) {
    list.filter.status = status_from(status);
    list.is_empty = list.is_empty || !list.filter.status;
  }
  if (const auto mode = request.query_value("transType"); !mode.empty()) {
    list.filter.mode = mode_from(mode);
    list.is_empty = list.is_empty || !list.filter.mode;
  }
  BELAY_TRY(read_times(request, list));
  return list;
}

ApiResult list_one(Reader& reader, const std::string& gid, Secrets secrets) {
  const auto row = reader.find(gid);
  if (!row && row.error().code != ErrorCode::not_found) return ApiResult::of(row.error());
  auto rows = row ? Json::array({transaction_json(*row, secrets)}) : Json();
  return ApiResult::of(Json{{"next_position", ""}, {"transactions", std::move(rows)}});
}

ApiResult list_page(Reader& reader, const ListRequest& list, Secrets secrets) {
  auto rows = Json::array();
  std::string next;
  if (!list.is_empty) {
    const auto page = reader.list(list.filter);
    if (!page) return ApiResult::of(page.error());
    for (const auto& row : page->rows) {
      const bool is_within = (!list.first || row.created_at >= *list.first) &&
                             (!list.last || row.created_at <= *list.last);
      if (is_within) rows.push_back(transaction_json(row, secrets));
    }
    if (page->next_before_id != 0) next = std::to_string(page->next_before_id);
  }
  return ApiResult::of(Json{{"next_position", next}, {"transactions", std::move(rows)}});
}

}  // namespace

void query(const ContextPtr& context, const std::string& gid, Done done) {
  if (gid.empty()) return done(ApiResult::error("no gid specified"));
  const auto secrets = context->options.secrets;
  const bool posted = context->reads->post([gid, secrets, done](Reader& reader) {
    auto stored = read_transaction_rows(reader, gid, secrets);
    if (!stored) return done(ApiResult::of(stored.error()));
    if (!*stored)
      return done(ApiResult::of(Json{{"branches", Json::array()}, {"transaction", nullptr}}));
    done(ApiResult::of(Json{{"branches", std::move((*stored)->branches)},
                            {"transaction", std::move((*stored)->transaction)}}));
  });
  if (!posted) done(too_many_reads());
}

void list_all(const ContextPtr& context, const http::Request& request, Done done) {
  auto list = read_list(request);
  if (!list) return done(ApiResult::of(list.error()));
  const auto secrets = context->options.secrets;
  const bool posted = context->reads->post([list = std::move(*list), secrets,
                                            done](Reader& reader) {
    done(list.gid.empty() ? list_page(reader, list, secrets) : list_one(reader, list.gid, secrets));
  });
  if (!posted) done(too_many_reads());
}

}  // namespace belay::protocol
