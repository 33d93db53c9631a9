// `belay subscribe`, `unsubscribe` and `remove-topic`: who gets a message to a topic.
#include <CLI/CLI.hpp>
#include <memory>

#include "ask.h"
#include "command.h"

namespace belay::tool {
namespace {

constexpr const char* kSubscribeDetails = R"(
A message to `topic://TOPIC` that is submitted from now on goes to TARGET as well: a
handler's name or a URL. To subscribe again replaces the remark. With --server it is for a
running `belay serve`; with --db for the program that has the file open, or, if none has,
for the file. `belay topics` shows who is subscribed.

Example:
  belay subscribe news http://archive.example/news --remark "keeps all" --db orders.db
)";

constexpr const char* kUnsubscribeDetails = R"(
Messages to `topic://TOPIC` that are submitted from now on do not go to TARGET any more.
Exit code 3: it was not subscribed.

Example:
  belay unsubscribe news http://archive.example/news --db orders.db
)";

constexpr const char* kRemoveDetails = R"(
Removes the topic with all its subscriptions. Exit code 3: there is no such topic.

Example:
  belay remove-topic news --db orders.db
)";

struct TopicOptions {
  Subscription subscription;
  ServerAccess server;
};

void add_one(CLI::App& app, Context& context, Verb verb, const char* name, const char* summary,
             const char* details) {
  const auto options = std::make_shared<TopicOptions>();
  auto* command = add_command(app, name, summary, details);
  auto& [topic, target, remark] = options->subscription;
  command->add_option("TOPIC", topic, "the topic's name")->required();
  if (verb != Verb::remove_topic)
    command->add_option("TARGET", target, "a handler or a URL")->required();
  if (verb == Verb::subscribe)
    command->add_option("--remark", remark, "a remark for people")->type_name("TEXT");
  add_where_options(command, context, options->server);
  on_run(command, context, [&context, options, verb] {
    const auto& subscription = options->subscription;
    const auto said = verb == Verb::remove_topic
                          ? printable(subscription.topic) + " is removed"
                          : fmt::format("{} {} {}", printable(subscription.target),
                                        verb == Verb::subscribe ? "gets" : "gets no more of",
                                        printable(subscription.topic));
    return ask_for(context, options->server, {.verb = verb, .subscription = subscription}, said);
  });
}

}  // namespace

void add_subscribe(CLI::App& app, Context& context) {
  add_one(app, context, Verb::subscribe, "subscribe", "let a target get a topic's messages",
          kSubscribeDetails);
}

void add_unsubscribe(CLI::App& app, Context& context) {
  add_one(app, context, Verb::unsubscribe, "unsubscribe", "let it get no more of them",
          kUnsubscribeDetails);
}

void add_remove_topic(CLI::App& app, Context& context) {
  add_one(app, context, Verb::remove_topic, "remove-topic", "remove a topic", kRemoveDetails);
}

}  // namespace belay::tool
