// GET /events: opens a stream, and samples for all streams while there is one.
#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "serve/protocol/admin/handlers.h"
#include "serve/protocol/admin/overview.h"
#include "view/counters.h"
#include "view/text.h"

namespace belay::protocol::admin {
namespace {

void tell(const Context& context, Events& events, Reader& reader) {
  const auto moment = moment_of(context, reader);
  if (!moment) return;  // the next sample may be better
  auto state = tool::json_text(tool::json_of(moment->counters));
  if (const auto& oldest = moment->oldest_unfinished)
    state += std::to_string(oldest->time_since_epoch().count());
  events.tell({std::move(state), tool::json_text(overview_json(context, *moment, true)),
               tool::json_text(overview_json(context, *moment, false))},
              Events::Clock::now());
}

// Runs on the thread of the deadlines, which must not wait: the file is read elsewhere. While one
// read waits, no second one is asked for.
void sample(const ContextPtr& context, const std::shared_ptr<std::atomic<bool>>& is_reading) {
  if (!context->events.goes_on()) return;
  context->deadlines.after(Events::kInterval,
                           [context, is_reading] { sample(context, is_reading); });
  context->events.keep_alive(Events::Clock::now());  // also while the file cannot be read
  if (is_reading->exchange(true)) return;
  // The flag goes back when the read has ended, was dropped, or never began.
  const std::shared_ptr<void> reading(nullptr, [is_reading](void*) { is_reading->store(false); });
  context->reads->post(
      [context, reading](Reader& reader) { tell(*context, context->events, reader); });
}

}  // namespace

void events(const Turn& turn, const http::Respond& respond) {
  bool is_first = false;
  http::Response response;
  response.stream = turn.context->events.open(turn.caller.role >= Role::admin, is_first);
  if (!response.stream)
    return respond(error(503, "busy", "there are too many streams of events, or the server ends"));
  response.content_type = "text/event-stream";
  respond(std::move(response));
  if (!is_first) return;
  turn.context->deadlines.after(Millis{0}, [context = turn.context] {
    sample(context, std::make_shared<std::atomic<bool>>(false));
  });
}

}  // namespace belay::protocol::admin
