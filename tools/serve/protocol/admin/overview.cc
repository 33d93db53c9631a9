#include "serve/protocol/admin/overview.h"

#include <utility>
#include <vector>

#include "serve/protocol/admin/handlers.h"
#include "view/counters.h"
#include "view/text.h"

namespace belay::protocol::admin {
namespace {

// Answers with an array of what `ask` asks the engine for.
template <class Figures, class Ask>
void answer_with_all(const char* name, const http::Respond& respond, Ask ask) {
  protocol::ask<std::vector<Figures>>(
      [name, respond](const Result<std::vector<Figures>>& found) {
        if (!found) return respond(error(found.error()));
        auto array = Json::array();
        for (const auto& one : *found) array.push_back(tool::json_of(one));
        respond(value({{name, std::move(array)}}));
      },
      ask);
}

}  // namespace

Result<Moment> moment_of(const Context& context, Reader& reader) {
  const auto oldest = reader.oldest_unfinished();
  if (!oldest) return oldest.error();
  return Moment{context.engine.counters(), *oldest};
}

Json overview_json(const Context& context, const Moment& moment, bool is_admin) {
  const auto uptime = std::chrono::duration_cast<Millis>(Context::Clock::now() - context.begun);
  Json oldest;
  if (moment.oldest_unfinished) oldest = moment.oldest_unfinished->time_since_epoch().count();
  return {{"version", context.options.version},
          {"now", tool::now().time_since_epoch().count()},
          {"uptime_ms", uptime.count()},
          {"counters", tool::json_of(moment.counters)},
          {"oldest_unfinished_at", std::move(oldest)},
          {"makes_payloads_visible", is_admin}};
}

void overview(const Turn& turn, const http::Respond& respond) {
  answer_from_file(turn, respond,
                   [context = turn.context,
                    is_admin = turn.caller.role >= Role::admin](Reader& reader) -> Result<Json> {
                     const auto moment = moment_of(*context, reader);
                     if (!moment) return moment.error();
                     return overview_json(*context, *moment, is_admin);
                   });
}

void history(const Turn& turn, const http::Respond& respond) {
  respond(value(turn.context->history.json()));
}

void hosts(const Turn& turn, const http::Respond& respond) {
  answer_with_all<HostFigures>("hosts", respond, [&](HostsCallback done) {
    return turn.context->engine.hosts(std::move(done));
  });
}

void names(const Turn& turn, const http::Respond& respond) {
  answer_with_all<NameFigures>("names", respond, [&](NamesCallback done) {
    return turn.context->engine.names(std::move(done));
  });
}

}  // namespace belay::protocol::admin
