// Topics and their subscriptions, and the targets that are held.
#include <utility>

#include "serve/protocol/admin/handlers.h"
#include "view/hide.h"

namespace belay::protocol::admin {

void topics(const Turn& turn, const http::Respond& respond) {
  answer_from_file(turn, respond,
                   [secrets = turn.context->options.secrets](Reader& reader) -> Result<Json> {
                     auto found = reader.topics();
                     if (!found) return found.error();
                     auto array = Json::array();
                     for (auto& topic : *found) {
                       if (secrets == Secrets::hidden) tool::hide_secrets(topic);
                       array.push_back(tool::json_of(topic));
                     }
                     return Json{{"topics", std::move(array)}};
                   });
}

void holds(const Turn& turn, const http::Respond& respond) {
  answer_from_file(turn, respond,
                   [secrets = turn.context->options.secrets](Reader& reader) -> Result<Json> {
                     auto found = reader.holds();
                     if (!found) return found.error();
                     auto array = Json::array();
                     for (auto& hold : *found) {
                       if (secrets == Secrets::hidden) tool::hide_secrets(hold);
                       array.push_back(tool::json_of(hold));
                     }
                     return Json{{"holds", std::move(array)}};
                   });
}

}  // namespace belay::protocol::admin
