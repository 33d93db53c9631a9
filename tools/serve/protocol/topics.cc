// Topics: subscribing, and the view of topics as a store of keys and values, which dtm's clients
// use.
#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "serve/protocol/describe.h"
#include "serve/protocol/handlers.h"
#include "serve/protocol/parse.h"
#include "serve/protocol/reason.h"
#include "serve/protocol/rows.h"
#include "serve/protocol/times.h"

namespace belay::protocol {
namespace {

constexpr std::string_view kCategory = "topics";
constexpr std::int64_t kTopicsDefault = 100;
constexpr std::int64_t kTopicsMax = 10'000;

bool has_target(const Topic& topic, std::string_view target) {
  return std::any_of(topic.subscriptions.begin(), topic.subscriptions.end(),
                     [&](const auto& one) { return one.target == target; });
}

// The target of a subscriber as clients see it, or as it is; null: there is none.
const std::string* find_target(const Topic& topic, std::string_view url) {
  for (const auto& one : topic.subscriptions) {
    if (one.target == url || url_of(one.target) == url) return &one.target;
  }
  return nullptr;
}

// Topics are read from the file, which has a subscription before its request is answered. There may
// be many topics, and the engine's loop has other work. Calls `work`, or answers with the error.
template <class T>
void with_reader(const ContextPtr& context, const Done& done,
                 std::function<Result<T>(Reader& reader)> read,
                 std::function<void(const T& found)> work) {
  const bool posted =
      context->reads->post([done, read = std::move(read), work = std::move(work)](Reader& reader) {
        const auto found = read(reader);
        if (!found) return done(ApiResult::of(found.error()));
        work(*found);
      });
  if (!posted) done(too_many_reads());
}

// `work` gets nothing if there is no such topic.
void with_topic(const ContextPtr& context, const Done& done, const std::string& name,
                std::function<void(const std::optional<Topic>& topic)> work) {
  using Found = std::optional<Topic>;
  with_reader<Found>(
      context, done,
      [name](Reader& reader) -> Result<Found> {
        auto topic = reader.topic(name);
        if (topic) return Found(std::move(*topic));
        if (topic.error().code == ErrorCode::not_found) return Found();
        return topic.error();
      },
      std::move(work));
}

using Topics = std::vector<Topic>;  // ordered by name

void with_topics(const ContextPtr& context, const Done& done,
                 std::function<void(const Topics& topics)> work) {
  with_reader<Topics>(
      context, done, [](Reader& reader) { return reader.topics(); }, std::move(work));
}

DoneCallback told(const Done& done) {
  return [done](const Result<>& result) {
    done(result ? ApiResult{} : ApiResult::of(result.error()));
  };
}

Json time_json(const std::optional<TimePoint>& at) {
  return at ? Json(to_rfc3339(*at)) : Json(nullptr);
}

// The value in dtm's format: a list of subscribers, as JSON in a string.
Json kv_row(std::size_t id, const Topic& topic, Secrets secrets) {
  auto list = Json::array();
  for (const auto& one : topic.subscriptions)
    list.push_back({{"url", shown_url(one.target, secrets)}, {"remark", one.remark}});
  return {{"id", id},
          {"cat", kCategory},
          {"k", topic.name},
          {"v", text_of(list)},
          {"version", topic.version},
          {"create_time", time_json(topic.created_at)},
          {"update_time", time_json(topic.updated_at)}};
}

}  // namespace

void subscribe(const ContextPtr& context, const TopicRequest& request, Done done) {
  if (request.topic.empty()) return done(ApiResult::error("empty topic"));
  if (request.url.empty()) return done(ApiResult::error("empty url"));
  auto target = target_of("url", request.url, request.protocol, context->options);
  if (!target) return done(ApiResult::of(target.error()));
  const Subscription wanted{request.topic, std::move(*target), request.remark};
  with_topic(context, done, wanted.topic, [context, wanted, done](const auto& topic) {
    if (topic && has_target(*topic, wanted.target))
      return done(ApiResult::error("this url exists"));
    ask<std::monostate>(told(done), [&](DoneCallback callback) {
      return context->engine.subscribe(wanted, std::move(callback));
    });
  });
}

void unsubscribe(const ContextPtr& context, const TopicRequest& request, Done done) {
  if (request.topic.empty()) return done(ApiResult::error("empty topic"));
  if (request.url.empty()) return done(ApiResult::error("empty url"));
  with_topic(context, done, request.topic, [context, request, done](const auto& topic) {
    if (!topic) return done(ApiResult::error("no such a topic"));
    if (topic->subscriptions.empty()) return done(ApiResult::error("this topic is empty"));
    const auto* target = find_target(*topic, request.url);
    if (target == nullptr) return done(ApiResult::error("no such an url "));
    ask<std::monostate>(told(done), [&](DoneCallback callback) {
      return context->engine.unsubscribe(request.topic, *target, std::move(callback));
    });
  });
}

void delete_topic(const ContextPtr& context, const std::string& topic, Done done) {
  const auto on_removed = [done](const Result<>& result) {
    if (!result && result.error().code == ErrorCode::not_found)
      return done(ApiResult::error("storage: NotFound"));
    told(done)(result);
  };
  ask<std::monostate>(on_removed, [&](DoneCallback callback) {
    return context->engine.remove_topic(topic, std::move(callback));
  });
}

void scan_kv(const ContextPtr& context, const http::Request& request, Done done) {
  const auto asked = query_integer(request, "limit", kTopicsDefault);
  if (!asked) return done(ApiResult::of(asked.error()));
  const auto limit = static_cast<std::size_t>(std::clamp<std::int64_t>(*asked, 1, kTopicsMax));
  const auto category = request.query_value("cat");
  if (!category.empty() && category != kCategory)
    return done(ApiResult::of(Json{{"kv", Json::array()}, {"next_position", ""}}));
  const std::string position(request.query_value("position"));
  const auto secrets = context->options.secrets;
  with_topics(context, done, [limit, position, secrets, done](const Topics& topics) {
    auto rows = Json::array();
    std::string next;
    std::size_t id = 0;
    for (const auto& topic : topics) {
      ++id;
      if (!position.empty() && topic.name <= position) continue;
      rows.push_back(kv_row(id, topic, secrets));
      if (rows.size() < limit) continue;
      next = topic.name;
      break;
    }
    done(ApiResult::of(Json{{"kv", std::move(rows)}, {"next_position", next}}));
  });
}

void query_kv(const ContextPtr& context, const http::Request& request, Done done) {
  const auto category = request.query_value("cat");
  if (!category.empty() && category != kCategory)
    return done(ApiResult::of(Json{{"kv", Json::array()}}));
  const std::string key(request.query_value("key"));
  const auto secrets = context->options.secrets;
  with_topics(context, done, [key, secrets, done](const Topics& topics) {
    auto rows = Json::array();
    std::size_t id = 0;
    for (const auto& topic : topics) {
      ++id;
      if (key.empty() || topic.name == key) rows.push_back(kv_row(id, topic, secrets));
    }
    done(ApiResult::of(Json{{"kv", std::move(rows)}}));
  });
}

}  // namespace belay::protocol
