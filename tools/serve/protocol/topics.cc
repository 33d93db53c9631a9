// Topics: subscribing, and the view of topics as a store of keys and values, which dtm's clients
// use.
#include <algorithm>
#include <map>
#include <utility>

#include "serve/protocol/describe.h"
#include "serve/protocol/handlers.h"
#include "serve/protocol/parse.h"
#include "serve/protocol/rows.h"

namespace belay::protocol {
namespace {

constexpr std::string_view kCategory = "topics";
constexpr std::int64_t kTopicsDefault = 100;
constexpr std::int64_t kTopicsMax = 10'000;

using Subscriptions = std::vector<Subscription>;
// topic → its subscriptions
using Topics = std::map<std::string, Subscriptions, std::less<>>;

Topics grouped(const Subscriptions& all) {
  Topics topics;
  for (const auto& one : all) topics[one.topic].push_back(one);
  return topics;
}

bool has_target(const Subscriptions& all, std::string_view target) {
  return std::any_of(all.begin(), all.end(), [&](const auto& one) { return one.target == target; });
}

// Topics are read from the file, which has a subscription before its request is answered. There may
// be many topics, and the engine's loop has other work.
void with_reader(const ContextPtr& context, const Done& done,
                 std::function<Result<Subscriptions>(Reader& reader)> read,
                 std::function<void(Subscriptions all)> work) {
  const bool posted =
      context->reads->post([done, read = std::move(read), work = std::move(work)](Reader& reader) {
        auto all = read(reader);
        if (!all) return done(ApiResult::of(all.error()));
        work(std::move(*all));
      });
  if (!posted) done(too_many_reads());
}

// Calls `work` with one topic's subscriptions, or answers with the error.
void with_topic(const ContextPtr& context, const Done& done, const std::string& topic,
                std::function<void(Subscriptions all)> work) {
  with_reader(
      context, done, [topic](Reader& reader) { return reader.topics(topic); }, std::move(work));
}

// The same for all topics.
void with_topics(const ContextPtr& context, const Done& done,
                 const std::function<void(Topics topics)>& work) {
  with_reader(
      context, done, [](Reader& reader) { return reader.topics(); },
      [work](const Subscriptions& all) { work(grouped(all)); });
}

DoneCallback told(const Done& done) {
  return [done](const Result<>& result) {
    done(result ? ApiResult{} : ApiResult::of(result.error()));
  };
}

void remove(const ContextPtr& context, const std::string& topic, const std::string& target,
            const DoneCallback& done) {
  ask<std::monostate>(done, [&](DoneCallback callback) {
    return context->engine.unsubscribe(topic, target, std::move(callback));
  });
}

// Removes the subscriptions one after the other; a subscription that was removed meanwhile does not
// matter.
void remove_all(const ContextPtr& context, Subscriptions left, const Done& done) {
  if (left.empty()) return done({});
  const auto last = left.back();
  left.pop_back();
  remove(context, last.topic, last.target,
         [context, left = std::move(left), done](const Result<>& result) mutable {
           if (!result && result.error().code != ErrorCode::not_found)
             return done(ApiResult::of(result.error()));
           remove_all(context, std::move(left), done);
         });
}

// The value in dtm's format: a list of subscribers, as JSON in a string. Its times and versions are
// not stored.
Json kv_row(std::size_t id, const std::string& topic, const Subscriptions& subscriptions) {
  auto list = Json::array();
  for (const auto& one : subscriptions)
    list.push_back({{"url", one.target}, {"remark", one.remark}});
  return {{"id", id},
          {"cat", kCategory},
          {"k", topic},
          {"v", text_of(list)},
          {"version", 1},
          {"create_time", nullptr},
          {"update_time", nullptr}};
}

}  // namespace

void subscribe(const ContextPtr& context, const http::Request& request, Done done) {
  Subscription wanted{std::string(request.query_value("topic")),
                      std::string(request.query_value("url")),
                      std::string(request.query_value("remark"))};
  if (wanted.topic.empty()) return done(ApiResult::error("empty topic"));
  if (wanted.target.empty()) return done(ApiResult::error("empty url"));
  auto target = target_of(wanted.target, {}, context->options);
  if (!target) return done(ApiResult::of(target.error()));
  with_topic(context, done, wanted.topic, [context, wanted, done](const Subscriptions& all) {
    if (has_target(all, wanted.target)) return done(ApiResult::error("this url exists"));
    ask<std::monostate>(told(done), [&](DoneCallback callback) {
      return context->engine.subscribe(wanted, std::move(callback));
    });
  });
}

void unsubscribe(const ContextPtr& context, const http::Request& request, Done done) {
  const std::string topic(request.query_value("topic"));
  const std::string url(request.query_value("url"));
  if (topic.empty()) return done(ApiResult::error("empty topic"));
  if (url.empty()) return done(ApiResult::error("empty url"));
  with_topic(context, done, topic, [context, topic, url, done](const Subscriptions& all) {
    if (all.empty()) return done(ApiResult::error("no such a topic"));
    if (!has_target(all, url)) return done(ApiResult::error("no such an url "));
    remove(context, topic, url, told(done));
  });
}

void delete_topic(const ContextPtr& context, const std::string& topic, Done done) {
  with_topic(context, done, topic, [context, done](Subscriptions all) {
    if (all.empty()) return done(ApiResult::error("storage: NotFound"));
    remove_all(context, std::move(all), done);
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
  with_topics(context, done, [limit, position, done](const Topics& topics) {
    auto rows = Json::array();
    std::string next;
    std::size_t id = 0;
    for (const auto& [topic, subscriptions] : topics) {
      ++id;
      if (!position.empty() && topic <= position) continue;
      rows.push_back(kv_row(id, topic, subscriptions));
      if (rows.size() < limit) continue;
      next = topic;
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
  with_topics(context, done, [key, done](const Topics& topics) {
    auto rows = Json::array();
    std::size_t id = 0;
    for (const auto& [topic, subscriptions] : topics) {
      ++id;
      if (key.empty() || topic == key) rows.push_back(kv_row(id, topic, subscriptions));
    }
    done(ApiResult::of(Json{{"kv", std::move(rows)}}));
  });
}

}  // namespace belay::protocol
